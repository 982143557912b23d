use crate::Error;
use crate::feed::{Parts, Source};
use chiasm_linkage::{BirthDate, PersonName, Sex};
use std::io::{self, Read};

/// Which of the family a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// EDF of 1992: 16 bits, no annotations.
    Edf,
    /// EDF+, without (`EDF+C`) or with gaps.
    EdfPlus {
        /// Whether data records may be apart in time.
        gaps: bool,
    },
    /// BDF: 24 bits.
    Bdf,
    /// BDF+: 24 bits with annotations.
    BdfPlus {
        /// Whether data records may be apart in time.
        gaps: bool,
    },
}

impl Kind {
    /// Bytes of a sample.
    pub fn width(self) -> usize {
        if matches!(self, Self::Edf | Self::EdfPlus { .. }) { 2 } else { 3 }
    }

    /// Whether it has annotations and structured fields.
    pub fn is_plus(self) -> bool {
        matches!(self, Self::EdfPlus { .. } | Self::BdfPlus { .. })
    }

    /// As the file says it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Edf => "EDF",
            Self::EdfPlus { gaps: false } => "EDF+C",
            Self::EdfPlus { gaps: true } => "EDF+D",
            Self::Bdf => "BDF",
            Self::BdfPlus { gaps: false } => "BDF+C",
            Self::BdfPlus { gaps: true } => "BDF+D",
        }
    }
}

/// What an EDF or BDF header says.
#[derive(Clone, PartialEq)]
pub struct Header {
    /// Which of the family it is.
    pub kind: Kind,
    /// The patient field as it stands: a patient's values.
    pub(crate) patient: String,
    /// The recording field as it stands.
    pub(crate) recording: String,
    /// `dd.mm.yy` as it stands.
    pub(crate) date: String,
    /// `hh.mm.ss` as it stands.
    pub(crate) time: String,
    /// Bytes of the header as it says itself.
    pub bytes: u64,
    /// Data records; `None` where the recorder did not write the number (-1).
    pub records: Option<u64>,
    /// Seconds of a data record.
    pub duration: f64,
    /// The signals, annotations among them.
    pub signals: Vec<Signal>,
    /// Fields with bytes other than printable ASCII.
    pub(crate) unprintable: usize,
}

impl std::fmt::Debug for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} header of {} signals", self.kind.as_str(), self.signals.len())
    }
}

/// One signal.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    /// What it is: `EEG Fpz-Cz`.
    pub label: String,
    /// The electrode or sensor.
    pub transducer: String,
    /// The physical unit.
    pub unit: String,
    /// The physical value at `digital.0` and at `digital.1`.
    pub physical: (f64, f64),
    /// The least and greatest stored value.
    pub digital: (i32, i32),
    /// Filters.
    pub prefilter: String,
    /// Samples in a data record.
    pub samples: usize,
}

impl Signal {
    /// The physical value of a stored one.
    pub fn physical(&self, value: i32) -> f64 {
        let (low, high) = self.digital;
        let step = (self.physical.1 - self.physical.0) / (f64::from(high) - f64::from(low));
        (f64::from(value) - f64::from(low)) * step + self.physical.0
    }

    /// Whether it holds annotations instead of samples.
    pub fn is_annotations(&self) -> bool {
        matches!(self.label.as_str(), "EDF Annotations" | "BDF Annotations")
    }
}

/// The patient field of EDF+ in its parts; `X` stands for what is not known.
#[derive(Clone, Default, PartialEq)]
pub struct Patient {
    /// The number in the hospital's administration.
    pub code: Option<String>,
    /// Sex.
    pub sex: Option<Sex>,
    /// Date of birth.
    pub birth: Option<BirthDate>,
    /// Name; of several words the last is taken for the family name.
    pub name: Option<PersonName>,
    /// How many of the four parts are there.
    pub(crate) parts: usize,
    /// Parts that do not have the form that EDF+ demands.
    pub(crate) faulty: Vec<&'static str>,
}

impl std::fmt::Debug for Patient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Patient [redacted]")
    }
}

impl Header {
    /// Reads a header.
    ///
    /// # Errors
    /// [`Error::Damaged`] with the field, or what opening the file gives.
    pub fn read(source: &Source) -> Result<Self, Error> {
        let mut bytes = source.open()?;
        Self::parse(&source.origin, &mut bytes)
    }

    /// Reads a header from its bytes; `origin` is what messages call it.
    ///
    /// # Errors
    /// [`Error::Damaged`] with the field.
    pub fn parse(origin: &str, bytes: &mut dyn Read) -> Result<Self, Error> {
        let mut fields = Fields { bytes, origin, unprintable: 0 };
        let version = fields.raw::<8>("version")?;
        let bdf = match &version {
            b"\xffBIOSEMI" => true,
            b"0       " => false,
            _ => return Err(fields.damaged("version", "0, or BIOSEMI after a byte 255", "something else")),
        };
        let patient = fields.text::<80>("patient")?;
        let recording = fields.text::<80>("recording")?;
        let date = fields.text::<8>("start date")?;
        let time = fields.text::<8>("start time")?;
        let header_bytes = fields.number::<8, u64>("header bytes")?;
        let reserved = fields.text::<44>("reserved")?;
        let records = fields.number::<8, i64>("data records")?;
        let duration = fields.number::<8, f64>("duration")?;
        let count = fields.number::<4, usize>("signals")?;
        if !(duration >= 0.0 && duration.is_finite()) {
            return Err(fields.damaged("duration", "seconds, 0 or more", "another number"));
        }
        let kind = match (bdf, reserved.get(..5).unwrap_or_default()) {
            (false, "EDF+C") => Kind::EdfPlus { gaps: false },
            (false, "EDF+D") => Kind::EdfPlus { gaps: true },
            (false, _) => Kind::Edf,
            (true, "BDF+C") => Kind::BdfPlus { gaps: false },
            (true, "BDF+D") => Kind::BdfPlus { gaps: true },
            (true, _) => Kind::Bdf,
        };
        let labels = fields.column::<16>("label", count)?;
        let transducers = fields.column::<80>("transducer", count)?;
        let units = fields.column::<8>("unit", count)?;
        let low = fields.numbers::<8, f64>("physical minimum", count)?;
        let high = fields.numbers::<8, f64>("physical maximum", count)?;
        let least = fields.numbers::<8, i32>("digital minimum", count)?;
        let most = fields.numbers::<8, i32>("digital maximum", count)?;
        let filters = fields.column::<80>("prefilter", count)?;
        let samples = fields.numbers::<8, usize>("samples", count)?;
        fields.column::<32>("reserved", count)?;
        let unprintable = fields.unprintable;
        let mut signals = Vec::with_capacity(labels.len());
        let rest = transducers.into_iter().zip(units).zip(filters);
        for (i, (label, ((transducer, unit), prefilter))) in labels.into_iter().zip(rest).enumerate() {
            let (physical, digital) = ((low[i], high[i]), (least[i], most[i]));
            let samples = samples[i];
            signals.push(Signal { label, transducer, unit, physical, digital, prefilter, samples });
        }
        let records = u64::try_from(records).ok();
        Ok(Self {
            kind,
            patient,
            recording,
            date,
            time,
            bytes: header_bytes,
            records,
            duration,
            signals,
            unprintable,
        })
    }

    /// Bytes of a data record.
    pub fn record_bytes(&self) -> u64 {
        let samples = self.signals.iter().fold(0u64, |n, s| n.saturating_add(s.samples as u64));
        samples.saturating_mul(self.kind.width() as u64)
    }

    /// Samples of signal `i` in a second; NaN where data records have no duration.
    pub fn frequency(&self, i: usize) -> f64 {
        self.signals.get(i).map_or(f64::NAN, |s| s.samples as f64 / self.duration)
    }

    /// The patient, by the parts that EDF+ gives the field; of plain EDF, nothing.
    pub fn patient(&self) -> Patient {
        if !self.kind.is_plus() {
            return Patient::default();
        }
        let known = |t: &&str| *t != "X" && !t.is_empty();
        let mut parts = self.patient.split(' ').filter(|p| !p.is_empty());
        let mut patient = Patient { parts: parts.clone().count().min(4), ..Patient::default() };
        patient.code = parts.next().filter(known).map(|c| c.replace('_', " "));
        patient.sex = match parts.next() {
            Some("F") => Some(Sex::Female),
            Some("M") => Some(Sex::Male),
            other => {
                if other.filter(known).is_some() {
                    patient.faulty.push("sex");
                }
                None
            }
        };
        if let Some(birth) = parts.next().filter(known) {
            match long_date(birth) {
                Some((year, month, day)) => {
                    let part = |v: i8| u8::try_from(v).ok();
                    patient.birth = Some(BirthDate { year, month: part(month), day: part(day) });
                }
                None => patient.faulty.push("birthdate"),
            }
        }
        patient.name = parts.next().filter(known).map(|name| {
            let mut words: Vec<String> =
                name.split('_').filter(|w| !w.is_empty()).map(str::to_owned).collect();
            let family = words.pop();
            PersonName { given: words, family, suffix: None }
        });
        patient
    }

    /// When it began: the recording field's date where EDF+ has one, the two-digit year otherwise (1985 to
    /// 2084); `None` where the file says that it is unknown, or nothing that is a date.
    pub fn start(&self) -> Option<Parts> {
        let mut words = self.recording.split(' ');
        let long = (self.kind.is_plus() && words.next() == Some("Startdate")).then(|| words.next()).flatten();
        let (year, month, day) = match long {
            Some("X") => return None,
            Some(text) => long_date(text).or_else(|| self.short_date())?,
            None => self.short_date()?,
        };
        let parts = Parts { year, month: Some(month), day: Some(day), ..Parts::default() };
        let Some((hour, minute, second)) = three(&self.time) else { return Some(parts) };
        Some(Parts { hour: Some(hour), minute: Some(minute), second: Some(second), ..parts })
    }

    /// The date field, where it is a day.
    pub(crate) fn short_date(&self) -> Option<(i16, i8, i8)> {
        let (day, month, year) = three(&self.date)?;
        let year = i16::from(year) + if year >= 85 { 1900 } else { 2000 };
        jiff::civil::Date::new(year, month, day).ok()?;
        Some((year, month, day))
    }

    /// The time field, where it is a time.
    pub(crate) fn clock(&self) -> Option<(i8, i8, i8)> {
        three(&self.time).filter(|&(h, m, s)| h < 24 && m < 60 && s < 60)
    }
}

/// `aa.bb.cc`, three numbers of two digits.
fn three(text: &str) -> Option<(i8, i8, i8)> {
    let mut parts = text.split('.').map(|p| {
        (p.len() == 2 && p.bytes().all(|b| b.is_ascii_digit())).then(|| p.parse::<i8>().ok()).flatten()
    });
    let all = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(all)
}

/// `dd-MMM-yyyy`, the month in English.
pub(super) fn long_date(text: &str) -> Option<(i16, i8, i8)> {
    const MONTHS: [&str; 12] =
        ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    let mut parts = text.split('-');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let month = MONTHS.iter().position(|m| m.eq_ignore_ascii_case(month))? as i8 + 1;
    let date = jiff::civil::Date::new(year.parse().ok()?, month, day.parse().ok()?).ok()?;
    (year.len() == 4 && parts.next().is_none()).then_some((date.year(), date.month(), date.day()))
}

/// Reads fields of fixed width.
struct Fields<'a> {
    bytes: &'a mut dyn Read,
    origin: &'a str,
    unprintable: usize,
}

impl Fields<'_> {
    fn damaged(&self, field: &str, expected: &'static str, found: &str) -> Error {
        let place = format!("{}, field '{field}'", self.origin);
        Error::Damaged { place, expected, found: found.to_owned() }
    }

    fn raw<const N: usize>(&mut self, field: &str) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        match self.bytes.read_exact(&mut bytes) {
            Ok(()) => Ok(bytes),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
                Err(self.damaged(field, "a whole header", "the end of the file"))
            }
            Err(e) => Err(self.damaged(field, "a header that can be read", &e.to_string())),
        }
    }

    fn text<const N: usize>(&mut self, field: &str) -> Result<String, Error> {
        let bytes = self.raw::<N>(field)?;
        self.unprintable += usize::from(bytes.iter().any(|b| !(32..127).contains(b)));
        // Old recorders write Latin-1, and zeros for blanks.
        let text: String = bytes.iter().map(|b| char::from(*b)).collect();
        Ok(text.trim_matches([' ', '\0']).to_owned())
    }

    fn number<const N: usize, T: std::str::FromStr>(&mut self, field: &str) -> Result<T, Error> {
        let text = self.text::<N>(field)?;
        text.parse().map_err(|_| self.damaged(field, "a number", "another text"))
    }

    fn column<const N: usize>(&mut self, field: &str, count: usize) -> Result<Vec<String>, Error> {
        (0..count).map(|_| self.text::<N>(field)).collect()
    }

    fn numbers<const N: usize, T: std::str::FromStr>(
        &mut self,
        field: &str,
        count: usize,
    ) -> Result<Vec<T>, Error> {
        (0..count).map(|_| self.number::<N, T>(field)).collect()
    }
}
