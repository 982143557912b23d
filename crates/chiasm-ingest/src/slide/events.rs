use super::Slide;
use crate::Error;
use crate::feed::{Checked, Entry, Feed, Rejected, Severity, Sink, Source};
use crate::waveform;
use chiasm_record::{Code, Event, Modality, Times};

/// Reads a slide: one entry with one event, `IMAGE|WSI`, that points to the file.
///
/// A slide names no patient that could be relied on: the subject is the file's name without its ending
/// under `<site>|file`. Attributes: `format`, `width`, `height`, `levels`, `tile`, `packing`, `mpp.x` and
/// `mpp.y` (micrometres of a pixel), `objective`, `scanner`, `level.1` and so on (columns x rows),
/// `associated` (each image beside the slide), and `identifying` for those that may show a name: labels and
/// photographs of the glass. Rejected: `slide.format`.
///
/// # Errors
/// Where the file cannot be opened, or the sink keeps nothing.
pub fn read(source: &Source, feed: &Feed, sink: &mut dyn Sink) -> Result<(), Error> {
    let kept = |e| Error::Sink { place: source.origin.clone(), source: e };
    let slide = match Slide::open(source) {
        Ok(slide) => slide,
        Err(error @ (Error::Io { .. } | Error::MissingFile { .. })) => return Err(error),
        Err(error) => {
            let (rule, message) = ("slide.format".to_owned(), error.to_string());
            let rejected = Rejected { place: String::new(), offset: None, rule, message, bytes: None };
            return sink.reject(rejected).map_err(kept);
        }
    };
    let media = if slide.is_aperio() { "image/x-aperio-svs" } else { "image/tiff" };
    let asset = waveform::asset(source, media)?;
    let happened = slide.scanned().and_then(|p| feed.moment(p));
    let times = Times { happened, ..Times::default() };
    let mut event = Event::new(times, Code::new("IMAGE", "WSI"), Modality::new("pathology"));
    event.asset = Some(asset.id);
    for (name, value) in contents(&slide) {
        event.attributes.push((name, value));
    }
    let identity = feed.file_subject(&source.origin);
    let mut entry = Entry::of(*asset.id.bytes(), "", Some(identity), vec![event]);
    entry.assets.push(asset);
    sink.entry(entry).map_err(kept)
}

/// What is in a slide and what is wrong with it; every tile's place is checked, and the four corners of
/// each level are unpacked.
///
/// # Errors
/// Where the file cannot be opened.
pub fn check(source: &Source) -> Result<Checked, Error> {
    let mut checked = Checked::new("TIFF slide", None);
    let slide = match Slide::open(source) {
        Ok(slide) => slide,
        Err(error @ (Error::Io { .. } | Error::MissingFile { .. })) => return Err(error),
        Err(error) => {
            checked.fault(Severity::Error, "slide.format", "", error.to_string());
            return Ok(checked);
        }
    };
    checked.contents = contents(&slide);
    if slide.microns().is_none() {
        let message = "the size of a pixel is not known";
        checked.fault(Severity::Warning, "slide.mpp", "", message);
    }
    for (i, level) in slide.levels().iter().enumerate() {
        let (right, bottom) = (level.columns() - 1, level.rows() - 1);
        for (x, y) in [(0, 0), (right, 0), (0, bottom), (right, bottom)] {
            if let Err(error) = slide.tile(i, x, y) {
                let place = format!("level {i}, column {x}, row {y}");
                checked.fault(Severity::Error, "slide.tile", place, error.to_string());
            }
        }
    }
    Ok(checked)
}

fn contents(slide: &Slide) -> Vec<(String, String)> {
    let first = &slide.levels()[0];
    let mut all = vec![
        ("format".to_owned(), if slide.is_aperio() { "SVS" } else { "TIFF" }.to_owned()),
        ("width".to_owned(), first.width.to_string()),
        ("height".to_owned(), first.height.to_string()),
        ("levels".to_owned(), slide.levels().len().to_string()),
        ("tile".to_owned(), format!("{} x {}", first.tile_width, first.tile_height)),
        ("packing".to_owned(), first.layout.packing().to_owned()),
    ];
    if let Some((x, y)) = slide.microns() {
        all.extend([("mpp.x".to_owned(), x.to_string()), ("mpp.y".to_owned(), y.to_string())]);
    }
    all.extend(slide.objective().map(|o| ("objective".to_owned(), o.to_string())));
    all.extend(slide.scanner().map(|s| ("scanner".to_owned(), s.to_owned())));
    for (i, level) in slide.levels().iter().enumerate().skip(1) {
        all.push((format!("level.{i}"), format!("{} x {}", level.width, level.height)));
    }
    all.extend(slide.associated().iter().map(|a| ("associated".to_owned(), a.kind.to_owned())));
    let named = slide.associated().iter().filter(|a| a.is_identifying());
    all.extend(named.map(|a| ("identifying".to_owned(), a.kind.to_owned())));
    all
}
