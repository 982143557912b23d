use super::{Header, Volume};
use crate::Error;
use crate::feed::{Checked, Entry, Feed, Rejected, Severity, Sink, Source};
use crate::waveform;
use chiasm_record::{Code, Event, Modality, Times};

/// Reads a volume: one entry with one event, `IMAGE|NIFTI`, that points to the header's file.
///
/// NIfTI names no patient and no time: the subject is the file's name without its ending under
/// `<site>|file`, and the event has no time. Attributes: `version`, `shape`, `spacing`, `type`, `affine`
/// (three rows of four, from voxels to millimetres) with `orientation` (`sform`, `qform`), `voxels` (the
/// asset of the `.img`, where there is one). Rejected: `nifti.header`, `nifti.data`, `nifti.missing`.
///
/// # Errors
/// Where the file cannot be opened, or the sink keeps nothing.
pub fn read(source: &Source, feed: &Feed, sink: &mut dyn Sink) -> Result<(), Error> {
    let kept = |e| Error::Sink { place: source.origin.clone(), source: e };
    let reject = |rule: &str, error: &Error, sink: &mut dyn Sink| {
        let (rule, message) = (rule.to_owned(), error.to_string());
        sink.reject(Rejected { place: String::new(), offset: None, rule, message, bytes: None }).map_err(kept)
    };
    let volume = match Volume::open(source) {
        Ok(volume) => volume,
        Err(error @ (Error::Io { .. } | Error::MissingFile { .. })) => return Err(error),
        Err(error) => return reject("nifti.header", &error, sink),
    };
    let data = match volume.data() {
        Ok(data) => data,
        Err(error @ Error::Io { .. }) => return Err(error),
        Err(_) => {
            let place = source.origin.clone();
            let missing = Error::Empty { place, expected: "the .img file beside the header" };
            return reject("nifti.missing", &missing, sink);
        }
    };
    // All voxels are gone through once: a volume that is cut off is not evidence.
    let whole = volume.complete();
    match whole {
        Err(error @ (Error::Io { .. } | Error::MissingFile { .. })) => return Err(error),
        Err(Error::UnsupportedType { .. }) | Ok(()) => {}
        Err(error) => return reject("nifti.data", &error, sink),
    }
    let asset = waveform::asset(source, "application/x-nifti")?;
    let mut event = Event::new(Times::default(), Code::new("IMAGE", "NIFTI"), Modality::new("imaging"));
    event.asset = Some(asset.id);
    event.attributes.extend(contents(volume.header()));
    let mut assets = vec![asset];
    if volume.header().pair {
        assets.push(waveform::asset(&data, "application/x-nifti-voxels")?);
        event = event.with("voxels", Some(assets[1].id.to_string()));
    }
    let key = waveform::key("nifti", assets.iter().map(|a| ("", &a.id)));
    let identity = feed.file_subject(&source.origin);
    let mut entry = Entry::of(key, "", Some(identity), vec![event]);
    entry.assets = assets;
    sink.entry(entry).map_err(kept)
}

fn contents(header: &Header) -> Vec<(String, String)> {
    let list = |values: Vec<String>| values.join(" ");
    let mut all = vec![
        ("version".to_owned(), format!("NIfTI-{}", header.version)),
        ("shape".to_owned(), list(header.shape.iter().map(u64::to_string).collect())),
        ("spacing".to_owned(), list(header.spacing.iter().map(f64::to_string).collect())),
        (
            "type".to_owned(),
            header.voxel_type().map_or_else(|| header.code.to_string(), |t| format!("{t:?}")),
        ),
    ];
    if let Some(affine) = header.affine() {
        all.push(("orientation".to_owned(), if header.sform > 0 { "sform" } else { "qform" }.to_owned()));
        all.push(("affine".to_owned(), list(affine.iter().flatten().map(f64::to_string).collect())));
    }
    all
}

/// What is in a volume and what is wrong with it. All voxels are read.
///
/// # Errors
/// Where the file cannot be opened.
pub fn check(source: &Source) -> Result<Checked, Error> {
    let mut checked = Checked::new("NIfTI", None);
    let volume = match Volume::open(source) {
        Ok(volume) => volume,
        Err(error @ (Error::Io { .. } | Error::MissingFile { .. })) => return Err(error),
        Err(error) => {
            checked.fault(Severity::Error, "nifti.header", "", error.to_string());
            return Ok(checked);
        }
    };
    let header = volume.header();
    checked.version = Some(header.version.to_string());
    checked.contents = contents(header);
    let mut fault = |severity, rule: &str, place: &str, message: &str| {
        checked.fault(severity, rule, place, message);
    };
    let width = header.voxel_type().map(|t| t.width() * 8);
    if width.is_some_and(|w| w != usize::try_from(header.bits).unwrap_or(0)) {
        fault(Severity::Error, "nifti.bitpix", "bitpix", "not the width of the voxels' type");
    }
    if header.spacing.iter().take(3).any(|s| !(s.is_finite() && *s > 0.0)) {
        fault(Severity::Error, "nifti.pixdim", "pixdim", "a voxel without a size along one axis of space");
    }
    if header.sform <= 0 && header.qform <= 0 {
        fault(
            Severity::Warning,
            "nifti.orientation",
            "qform_code, sform_code",
            "left and right are not known",
        );
    }
    if header.qform > 0 {
        let [b, c, d, ..] = header.quaternion;
        if b * b + c * c + d * d > 1.0 + 1e-5 || !(b + c + d).is_finite() {
            fault(Severity::Error, "nifti.quaternion", "quatern_b, quatern_c, quatern_d", "no rotation");
        }
        if header.handedness != 1.0 && header.handedness != -1.0 {
            fault(Severity::Warning, "nifti.qfac", "pixdim[0]", "neither 1 nor -1");
        }
    }
    if header.sform > 0 {
        let [a, b, c] = header.rows;
        let determinant = a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0])
            + a[2] * (b[0] * c[1] - b[1] * c[0]);
        if !(determinant.is_finite() && determinant != 0.0) {
            fault(
                Severity::Error,
                "nifti.sform",
                "srow_x, srow_y, srow_z",
                "a matrix that cannot be turned back",
            );
        }
    }
    if !header.pair && header.offset % 16.0 != 0.0 {
        fault(Severity::Warning, "nifti.vox_offset", "vox_offset", "no multiple of 16");
    }
    match volume.complete() {
        Ok(()) => {}
        Err(error @ Error::Io { .. }) => return Err(error),
        Err(Error::MissingFile { .. } | Error::Outside { .. }) => {
            fault(Severity::Error, "nifti.missing", "", "the .img file is not beside the header");
        }
        Err(error) => fault(Severity::Error, "nifti.data", "", &error.to_string()),
    }
    Ok(checked)
}
