use super::dataset::Level;
use super::dictionary;
use chiasm_record::Event;
use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// Attributes that are elements of the data set, by the name that the event gives them.
static PLAIN: [(&str, Tag); 53] = [
    ("study_uid", tags::STUDY_INSTANCE_UID),
    ("series_uid", tags::SERIES_INSTANCE_UID),
    ("instance_uid", tags::SOP_INSTANCE_UID),
    ("sop_class_uid", tags::SOP_CLASS_UID),
    ("accession", tags::ACCESSION_NUMBER),
    ("study_id", tags::STUDY_ID),
    ("series_number", tags::SERIES_NUMBER),
    ("instance_number", tags::INSTANCE_NUMBER),
    ("acquisition_number", tags::ACQUISITION_NUMBER),
    ("dicom_modality", tags::MODALITY),
    ("image_type", tags::IMAGE_TYPE),
    ("body_part", tags::BODY_PART_EXAMINED),
    ("laterality", tags::LATERALITY),
    ("image_laterality", tags::IMAGE_LATERALITY),
    ("view", tags::VIEW_POSITION),
    ("patient_position", tags::PATIENT_POSITION),
    ("rows", tags::ROWS),
    ("columns", tags::COLUMNS),
    ("frames", tags::NUMBER_OF_FRAMES),
    ("samples_per_pixel", tags::SAMPLES_PER_PIXEL),
    ("bits_allocated", tags::BITS_ALLOCATED),
    ("bits_stored", tags::BITS_STORED),
    ("pixel_representation", tags::PIXEL_REPRESENTATION),
    ("photometric_interpretation", tags::PHOTOMETRIC_INTERPRETATION),
    ("pixel_spacing", tags::PIXEL_SPACING),
    ("imager_pixel_spacing", tags::IMAGER_PIXEL_SPACING),
    ("pixel_aspect_ratio", tags::PIXEL_ASPECT_RATIO),
    ("slice_thickness", tags::SLICE_THICKNESS),
    ("spacing_between_slices", tags::SPACING_BETWEEN_SLICES),
    ("image_position", tags::IMAGE_POSITION_PATIENT),
    ("image_orientation", tags::IMAGE_ORIENTATION_PATIENT),
    ("frame_of_reference_uid", tags::FRAME_OF_REFERENCE_UID),
    ("rescale_slope", tags::RESCALE_SLOPE),
    ("rescale_intercept", tags::RESCALE_INTERCEPT),
    ("rescale_type", tags::RESCALE_TYPE),
    ("window_center", tags::WINDOW_CENTER),
    ("window_width", tags::WINDOW_WIDTH),
    ("voi_lut_function", tags::VOILUT_FUNCTION),
    ("pixel_padding_value", tags::PIXEL_PADDING_VALUE),
    ("lossy", tags::LOSSY_IMAGE_COMPRESSION),
    ("burned_in_annotation", tags::BURNED_IN_ANNOTATION),
    ("manufacturer", tags::MANUFACTURER),
    ("model", tags::MANUFACTURER_MODEL_NAME),
    ("station", tags::STATION_NAME),
    ("institution", tags::INSTITUTION_NAME),
    ("study_description", tags::STUDY_DESCRIPTION),
    ("series_description", tags::SERIES_DESCRIPTION),
    ("protocol", tags::PROTOCOL_NAME),
    ("contrast", tags::CONTRAST_BOLUS_AGENT),
    ("completion", tags::COMPLETION_FLAG),
    ("verification", tags::VERIFICATION_FLAG),
    ("deidentified", tags::PATIENT_IDENTITY_REMOVED),
    ("dose_units", tags::DOSE_UNITS),
];

/// Adds what the data set says of the instance: where it belongs, geometry, rescaling, device.
///
/// Several values are joined by `\` as DICOM writes them; a name of a patient is never among them.
pub(super) fn attributes(mut event: Event, root: Level<'_>) -> Event {
    for (name, tag) in PLAIN {
        event = event.with(name, root.text(tag));
    }
    let class = root.first(tags::SOP_CLASS_UID).and_then(|uid| dictionary::sop_class(&uid));
    event = event.with("sop_class", class);
    let syntax = root.data.transfer_syntax().to_owned();
    event = event.with("transfer_syntax", dictionary::transfer_syntax(&syntax));
    event = event.with("transfer_syntax_uid", Some(syntax));
    let studies = root.items(tags::REFERENCED_STUDY_SEQUENCE);
    for uid in studies.take(16).filter_map(|i| i.text(tags::REFERENCED_SOP_INSTANCE_UID)) {
        event = event.with("referenced_study_uid", Some(uid));
    }
    for series in root.items(tags::REFERENCED_SERIES_SEQUENCE).take(64) {
        event = event.with("referenced_series_uid", series.text(tags::SERIES_INSTANCE_UID));
    }
    for image in root.items(tags::REFERENCED_IMAGE_SEQUENCE).take(64) {
        event = event.with("referenced_instance_uid", image.text(tags::REFERENCED_SOP_INSTANCE_UID));
    }
    if root.find(tags::MODALITY_LUT_SEQUENCE).is_some() {
        event = event.with("modality_lut", Some("yes"));
    }
    if root.find(tags::VOILUT_SEQUENCE).is_some() {
        event = event.with("voi_lut", Some("yes"));
    }
    event
}

/// The most bytes of a label, a code or its meaning: the standard allows 64 characters.
const LABEL: usize = 256;

/// The beginning of a label that is longer than any honest one.
pub(super) fn label(mut text: String) -> String {
    if text.len() > LABEL {
        text.truncate(text.floor_char_boundary(LABEL));
    }
    text
}

/// A coded concept: `(system|code, meaning)`; the systems that everybody knows by their short names.
pub(super) fn concept(item: Level<'_>) -> Option<(String, String)> {
    let code = item
        .first(tags::CODE_VALUE)
        .or_else(|| item.first(tags::LONG_CODE_VALUE))
        .or_else(|| item.first(tags::URN_CODE_VALUE))?;
    let (code, meaning) = (label(code), label(item.first(tags::CODE_MEANING).unwrap_or_default()));
    let code = match item.first(tags::CODING_SCHEME_DESIGNATOR).as_deref() {
        Some("LN") => format!("LOINC|{code}"),
        Some("SCT") => format!("SNOMED|{code}"),
        Some(system) => format!("{}|{code}", label(system.to_owned())),
        None => code,
    };
    Some((code, meaning))
}

/// The meaning of the first item of a code sequence, or its code where it has none.
pub(super) fn meaning(level: Level<'_>, sequence: Tag) -> Option<String> {
    let (code, meaning) = concept(level.items(sequence).next()?)?;
    Some(if meaning.is_empty() { code } else { meaning })
}
