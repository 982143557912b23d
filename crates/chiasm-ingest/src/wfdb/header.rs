use super::SampleFormat;
use crate::Error;
use crate::feed::Parts;

/// A header file holds text of this size at most; one of a million segments is smaller.
const MAX_BYTES: u64 = 4 << 20;
/// Signals of a record, at most.
const MAX_SIGNALS: usize = 4096;
/// Samples of one frame over all signals, at most.
const MAX_FRAME: u64 = 1 << 20;

/// What a WFDB header (`.hea`) says of a record.
///
/// # Source
/// header(5) of the WFDB Applications Guide.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// The record's name.
    pub name: String,
    /// The record's segments in order; empty for a record of one segment.
    pub segments: Vec<Segment>,
    /// How many signals the record line states.
    pub signal_count: usize,
    /// Frames per second.
    pub frequency: f64,
    /// Ticks of the counter per second, where it is not the frame frequency.
    pub counter_frequency: Option<f64>,
    /// The counter at the first sample.
    pub base_counter: Option<f64>,
    /// Frames in the record; `None` where the header leaves it open.
    pub frames: Option<u64>,
    /// The time of day of the first sample: hours, minutes, seconds, microseconds where written.
    pub time: Option<(i8, i8, i8, Option<i32>)>,
    /// The day of the first sample: year, month, day.
    pub date: Option<(i16, i8, i8)>,
    /// The signals; empty for a record of several segments.
    pub signals: Vec<Signal>,
    /// Comments without their `#`.
    pub comments: Vec<String>,
    /// Lines beyond those that the record line announces.
    pub surplus: usize,
}

/// One segment of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The record that it is, `~` for a gap.
    pub name: String,
    /// Its frames.
    pub frames: u64,
}

impl Segment {
    /// Whether it is a gap.
    pub fn is_gap(&self) -> bool {
        self.name == "~"
    }
}

/// One signal of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// The file of its samples; `~` where it has none.
    pub file: String,
    /// How they are stored.
    pub format: SampleFormat,
    /// Samples in a frame.
    pub samples_per_frame: u32,
    /// Frames by which it lies behind in the file.
    pub skew: u32,
    /// Bytes before its first sample (frames, in FLAC).
    pub offset: u64,
    /// Steps of the converter in one physical unit.
    pub gain: f64,
    /// The converter's value at physical zero.
    pub baseline: i64,
    /// The physical unit; millivolt where none is written.
    pub unit: String,
    /// Bits of the converter, where written.
    pub resolution: Option<u32>,
    /// The converter's value at mid-range.
    pub zero: i64,
    /// The first sample's value, where written.
    pub initial: Option<i64>,
    /// The sum of all samples, of which 16 bits count; where written.
    pub checksum: Option<i64>,
    /// Bytes of a block on devices that demand one.
    pub block: u64,
    /// What it shows: a lead's name.
    pub name: String,
}

impl Signal {
    /// The physical value of a stored one; NaN where the format says that there is none.
    pub fn physical(&self, value: i32) -> f64 {
        if self.format.invalid() == Some(value) {
            return f64::NAN;
        }
        (f64::from(value) - self.baseline as f64) / self.gain
    }
}

impl Header {
    /// Reads a header.
    ///
    /// # Errors
    /// [`Error::Damaged`] with the line, [`Error::TooLarge`], or what opening it gives.
    pub fn read(source: &crate::feed::Source) -> Result<Self, Error> {
        Self::parse(&source.origin, &source.bytes(MAX_BYTES)?)
    }

    /// Reads a header's bytes; `origin` is what messages call it.
    ///
    /// # Errors
    /// [`Error::Damaged`] with the line.
    pub fn parse(origin: &str, bytes: &[u8]) -> Result<Self, Error> {
        let text = String::from_utf8_lossy(bytes);
        let mut comments = Vec::new();
        let mut lines = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if let Some(comment) = line.strip_prefix('#') {
                comments.push(comment.trim_matches([' ', '\t', '#']).to_owned());
            } else if !line.is_empty() {
                lines.push((number + 1, line));
            }
        }
        let at = |number: usize| format!("{origin}, line {number}");
        let &(number, first) = lines
            .first()
            .ok_or_else(|| Error::Empty { place: origin.to_owned(), expected: "a record line" })?;
        let mut header = record_line(first, comments).map_err(|e| e.at(at(number)))?;
        let rest = &lines[1..];
        let segments = first_segments(first);
        let stated = segments.unwrap_or(header.signal_count);
        if rest.len() < stated {
            return Err(Error::Damaged {
                place: origin.to_owned(),
                expected: "a line for each signal or segment that the record line states",
                found: format!("{} of {stated}", rest.len()),
            });
        }
        header.surplus = rest.len() - stated;
        if segments.is_some() {
            header.segments = rest[..stated]
                .iter()
                .map(|&(number, line)| segment_line(line).map_err(|e| e.at(at(number))))
                .collect::<Result<_, _>>()?;
        } else {
            if stated > MAX_SIGNALS {
                return Err(Error::Damaged {
                    place: origin.to_owned(),
                    expected: "at most 4096 signals",
                    found: stated.to_string(),
                });
            }
            header.signals = rest[..stated]
                .iter()
                .map(|&(number, line)| signal_line(line).map_err(|e| e.at(at(number))))
                .collect::<Result<_, _>>()?;
            let width: u64 = header.signals.iter().map(|s| u64::from(s.samples_per_frame)).sum();
            if width > MAX_FRAME {
                return Err(Error::Damaged {
                    place: origin.to_owned(),
                    expected: "at most 1048576 samples in a frame",
                    found: width.to_string(),
                });
            }
        }
        Ok(header)
    }

    /// Whether it is a record of several segments.
    pub fn is_segmented(&self) -> bool {
        !self.segments.is_empty()
    }

    /// Whether it only describes the signals of other segments: no samples, no files.
    pub fn is_layout(&self) -> bool {
        !self.signals.is_empty() && self.frames == Some(0) && self.signals.iter().all(|s| s.file == "~")
    }

    /// Whether its segments differ in their signals: the first one is then the layout.
    pub fn is_variable(&self) -> bool {
        self.segments.first().is_some_and(|s| s.frames == 0 && !s.is_gap())
    }

    /// When it began, where date and time are written.
    pub fn start(&self) -> Option<Parts> {
        let (year, month, day) = self.date?;
        let date = Parts { year, month: Some(month), day: Some(day), ..Parts::default() };
        let Some((hour, minute, second, micros)) = self.time else { return Some(date) };
        Some(Parts { hour: Some(hour), minute: Some(minute), second: Some(second), micros, ..date })
    }

    /// The duration in seconds, where the number of frames is stated.
    pub fn duration(&self) -> Option<f64> {
        self.frames.map(|n| n as f64 / self.frequency)
    }
}

/// What a line breaks.
struct Broken(&'static str, &'static str);

impl Broken {
    fn at(self, place: String) -> Error {
        Error::Damaged { place, expected: self.0, found: self.1.to_owned() }
    }
}

fn number<T: std::str::FromStr>(text: &str, expected: &'static str) -> Result<T, Broken> {
    text.parse().map_err(|_| Broken(expected, "another text"))
}

/// The number of segments that the record line states.
fn first_segments(line: &str) -> Option<usize> {
    line.split_ascii_whitespace().next()?.split_once('/')?.1.parse().ok()
}

fn record_line(line: &str, comments: Vec<String>) -> Result<Header, Broken> {
    let mut fields = line.split_ascii_whitespace();
    let name = fields.next().unwrap_or_default();
    let (name, segments) = name.split_once('/').map_or((name, None), |(n, s)| (n, Some(s)));
    if let Some(segments) = segments {
        let count: usize = number(segments, "a number of segments after the record's name")?;
        if count == 0 {
            return Err(Broken("at least one segment", "none"));
        }
    }
    let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || !name.chars().all(plain) {
        return Err(Broken("a record name of letters, digits, hyphens and underscores", "another text"));
    }
    let signal_count = fields.next().ok_or(Broken("a number of signals", "the end of the line"))?;
    let mut header = Header {
        name: name.to_owned(),
        segments: Vec::new(),
        signal_count: number(signal_count, "a number of signals")?,
        frequency: 250.0,
        counter_frequency: None,
        base_counter: None,
        frames: None,
        time: None,
        date: None,
        signals: Vec::new(),
        comments,
        surplus: 0,
    };
    if let Some(field) = fields.next() {
        let (frequency, counter) = field.split_once('/').map_or((field, None), |(f, c)| (f, Some(c)));
        header.frequency = number(frequency, "a sampling frequency")?;
        if let Some(counter) = counter {
            let (counter, base) = match counter.split_once('(') {
                Some((counter, base)) => (counter, Some(base.trim_end_matches(')'))),
                None => (counter, None),
            };
            header.counter_frequency = Some(number(counter, "a counter frequency")?);
            header.base_counter = base.map(|b| number(b, "a counter value")).transpose()?;
        }
    }
    if !(header.frequency > 0.0 && header.frequency.is_finite()) {
        return Err(Broken("a sampling frequency above 0", "another"));
    }
    header.frames = fields.next().map(|f| number(f, "a number of frames")).transpose()?;
    header.time = fields.next().map(time).transpose()?;
    header.date = fields.next().map(date).transpose()?;
    Ok(header)
}

/// `[[h:]m:]s[.ffffff]`.
fn time(text: &str) -> Result<(i8, i8, i8, Option<i32>), Broken> {
    const EXPECTED: &str = "a time as hours:minutes:seconds";
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(w, f)| (w, Some(f)));
    let mut parts = [0i8; 3];
    let fields: Vec<&str> = whole.split(':').collect();
    if fields.len() > 3 {
        return Err(Broken(EXPECTED, "another text"));
    }
    for (part, field) in parts[3 - fields.len()..].iter_mut().zip(&fields) {
        *part = number(field, EXPECTED)?;
    }
    let [hour, minute, second] = parts;
    if !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0..=60).contains(&second) {
        return Err(Broken(EXPECTED, "a time that no clock shows"));
    }
    let micros = match fraction {
        Some(f) if !f.is_empty() && f.len() <= 9 && f.bytes().all(|b| b.is_ascii_digit()) => {
            let six: String = f.chars().chain("000000".chars()).take(6).collect();
            Some(number(&six, EXPECTED)?)
        }
        Some(_) => return Err(Broken(EXPECTED, "another text")),
        None => None,
    };
    Ok((hour, minute, second, micros))
}

/// `d/m/y`.
fn date(text: &str) -> Result<(i16, i8, i8), Broken> {
    const EXPECTED: &str = "a date as day/month/year";
    let mut fields = text.split('/');
    let mut next = || fields.next().ok_or(Broken(EXPECTED, "another text"));
    let (day, month, year) = (next()?, next()?, next()?);
    let date = (number(year, EXPECTED)?, number(month, EXPECTED)?, number(day, EXPECTED)?);
    jiff::civil::Date::new(date.0, date.1, date.2)
        .map_err(|_| Broken(EXPECTED, "a day that no calendar has"))?;
    Ok(date)
}

fn segment_line(line: &str) -> Result<Segment, Broken> {
    let mut fields = line.split_ascii_whitespace();
    let name = fields.next().unwrap_or_default().to_owned();
    let frames = fields.next().ok_or(Broken("a segment's name and frames", "a name alone"))?;
    Ok(Segment { name, frames: number(frames, "a segment's number of frames")? })
}

fn signal_line(line: &str) -> Result<Signal, Broken> {
    let mut rest = line;
    let mut field = || {
        rest = rest.trim_start();
        let (field, after) = rest.split_at(rest.find([' ', '\t']).unwrap_or(rest.len()));
        rest = after;
        field
    };
    let file = field().to_owned();
    let mut signal = storage(field())?;
    signal.file = file;
    // Fields are optional from here on; the first that is no number begins the description.
    let mut word = field();
    if let Some((gain, baseline, unit)) = gain(word) {
        signal.gain = if gain == 0.0 { 200.0 } else { gain };
        signal.unit = unit.unwrap_or("mV").to_owned();
        word = field();
        let mut numbers = [None; 5];
        for slot in &mut numbers {
            let Ok(value) = word.parse::<i64>() else { break };
            *slot = Some(value);
            word = field();
        }
        signal.resolution = numbers[0].and_then(|n| u32::try_from(n).ok());
        signal.zero = numbers[1].unwrap_or(0);
        signal.baseline = baseline.unwrap_or(signal.zero);
        (signal.initial, signal.checksum) = (numbers[2], numbers[3]);
        signal.block = numbers[4].and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    }
    let name = format!("{word}{rest}");
    signal.name = name.split('\t').next().unwrap_or_default().trim().to_owned();
    Ok(signal)
}

/// `format[xsamples][:skew][+offset]`.
fn storage(text: &str) -> Result<Signal, Broken> {
    let end = |t: &str| t.find(|c: char| !c.is_ascii_digit()).unwrap_or(t.len());
    let (format, mut rest) = text.split_at(end(text));
    let code: u16 = number(format, "a storage format")?;
    let format = SampleFormat::of(code)
        .ok_or(Broken("a storage format of the WFDB library (0, 8, 16, ..., 524)", "another number"))?;
    let mut after = |mark: char| -> Result<Option<u64>, Broken> {
        let Some(digits) = rest.strip_prefix(mark) else { return Ok(None) };
        let (value, after) = digits.split_at(end(digits));
        rest = after;
        number(value, "a number after x, : or +").map(Some)
    };
    let (samples, skew, offset) = (after('x')?, after(':')?, after('+')?);
    if !rest.is_empty() {
        return Err(Broken("format, samples per frame, skew and offset", "something else after them"));
    }
    let small = |n: u64| u32::try_from(n).map_err(|_| Broken("a number below 2^32", "a larger one"));
    Ok(Signal {
        file: String::new(),
        format,
        samples_per_frame: small(samples.unwrap_or(1))?.max(1),
        skew: small(skew.unwrap_or(0))?,
        offset: offset.unwrap_or(0),
        gain: 200.0,
        baseline: 0,
        unit: "mV".to_owned(),
        resolution: None,
        zero: 0,
        initial: None,
        checksum: None,
        block: 0,
        name: String::new(),
    })
}

/// `gain[(baseline)][/unit]`, or `None` where the field is none of that.
fn gain(text: &str) -> Option<(f64, Option<i64>, Option<&str>)> {
    let (steps, unit) = text.split_once('/').map_or((text, None), |(g, u)| (g, Some(u)));
    let (gain, baseline) = match steps.split_once('(') {
        Some((gain, baseline)) => (gain, Some(baseline.strip_suffix(')')?.parse().ok()?)),
        None => (steps, None),
    };
    let gain: f64 = gain.parse().ok().filter(|g: &f64| g.is_finite())?;
    Some((gain, baseline, unit.filter(|u| !u.is_empty())))
}
