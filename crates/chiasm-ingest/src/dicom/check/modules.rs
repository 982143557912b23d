use super::Report;
use crate::dicom::Level;
use dicom_core::Tag;
use dicom_dictionary_std::{tags, uids};

/// Elements that a module demands: with a value (type 1), or at least present (type 2).
struct Module {
    name: &'static str,
    one: &'static [Tag],
    two: &'static [Tag],
}

const SOP: Module =
    Module { name: "SOP Common", one: &[tags::SOP_CLASS_UID, tags::SOP_INSTANCE_UID], two: &[] };

/// What every instance of a patient has.
static COMPOSITE: [Module; 3] = [
    Module {
        name: "Patient",
        one: &[],
        two: &[tags::PATIENT_NAME, tags::PATIENT_ID, tags::PATIENT_BIRTH_DATE, tags::PATIENT_SEX],
    },
    Module {
        name: "General Study",
        one: &[tags::STUDY_INSTANCE_UID],
        two: &[
            tags::STUDY_DATE,
            tags::STUDY_TIME,
            tags::REFERRING_PHYSICIAN_NAME,
            tags::STUDY_ID,
            tags::ACCESSION_NUMBER,
        ],
    },
    Module { name: "General Series", one: &[tags::SERIES_INSTANCE_UID], two: &[tags::SERIES_NUMBER] },
];
/// What every instance has that a device made, and a capture of a screen need not.
const DEVICE: Module =
    Module { name: "General Series, Equipment", one: &[tags::MODALITY], two: &[tags::MANUFACTURER] };

const PLANE: Module = Module {
    name: "Image Plane",
    one: &[tags::PIXEL_SPACING, tags::IMAGE_ORIENTATION_PATIENT, tags::IMAGE_POSITION_PATIENT],
    two: &[tags::SLICE_THICKNESS],
};
const REFERENCE: Module = Module {
    name: "Frame of Reference",
    one: &[tags::FRAME_OF_REFERENCE_UID],
    two: &[tags::POSITION_REFERENCE_INDICATOR],
};
const CT: Module = Module {
    name: "CT Image",
    one: &[tags::IMAGE_TYPE, tags::RESCALE_INTERCEPT, tags::RESCALE_SLOPE],
    two: &[tags::KVP, tags::ACQUISITION_NUMBER],
};
const MR: Module = Module {
    name: "MR Image",
    one: &[tags::IMAGE_TYPE, tags::SCANNING_SEQUENCE, tags::SEQUENCE_VARIANT],
    two: &[tags::SCAN_OPTIONS, tags::MR_ACQUISITION_TYPE, tags::ECHO_TIME, tags::ECHO_TRAIN_LENGTH],
};
const PET: Module = Module {
    name: "PET Image",
    one: &[tags::UNITS, tags::DECAY_CORRECTION, tags::RESCALE_INTERCEPT, tags::RESCALE_SLOPE],
    two: &[],
};
const CR: Module =
    Module { name: "CR Series", one: &[], two: &[tags::BODY_PART_EXAMINED, tags::VIEW_POSITION] };
const DX: Module = Module { name: "DX Series", one: &[tags::PRESENTATION_INTENT_TYPE], two: &[] };
const SC: Module = Module { name: "SC Equipment", one: &[tags::CONVERSION_TYPE], two: &[] };
const FRAMES: Module = Module {
    name: "Multi-frame Functional Groups",
    one: &[
        tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
        tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
        tags::INSTANCE_NUMBER,
        tags::CONTENT_DATE,
        tags::CONTENT_TIME,
        tags::NUMBER_OF_FRAMES,
    ],
    two: &[],
};
const EQUIPMENT: Module = Module {
    name: "Enhanced General Equipment",
    one: &[
        tags::MANUFACTURER,
        tags::MANUFACTURER_MODEL_NAME,
        tags::DEVICE_SERIAL_NUMBER,
        tags::SOFTWARE_VERSIONS,
    ],
    two: &[],
};
const CONTEXT: Module =
    Module { name: "Acquisition Context", one: &[], two: &[tags::ACQUISITION_CONTEXT_SEQUENCE] };
const OTHER_ID: Module =
    Module { name: "Patient", one: &[tags::PATIENT_ID, tags::TYPE_OF_PATIENT_ID], two: &[] };
const SEG: Module = Module {
    name: "Segmentation Image",
    one: &[tags::SEGMENTATION_TYPE, tags::SEGMENT_SEQUENCE, tags::CONTENT_LABEL],
    two: &[tags::CONTENT_DESCRIPTION, tags::CONTENT_CREATOR_NAME],
};
const SEGMENT: Module = Module {
    name: "Segmentation Image",
    one: &[
        tags::SEGMENT_NUMBER,
        tags::SEGMENT_LABEL,
        tags::SEGMENT_ALGORITHM_TYPE,
        tags::SEGMENTED_PROPERTY_CATEGORY_CODE_SEQUENCE,
        tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE,
    ],
    two: &[],
};
const WAVEFORM: Module = Module {
    name: "Waveform",
    one: &[
        tags::WAVEFORM_SEQUENCE,
        tags::INSTANCE_NUMBER,
        tags::CONTENT_DATE,
        tags::CONTENT_TIME,
        tags::ACQUISITION_DATE_TIME,
    ],
    two: &[],
};
const MULTIPLEX: Module = Module {
    name: "Waveform",
    one: &[
        tags::WAVEFORM_ORIGINALITY,
        tags::NUMBER_OF_WAVEFORM_CHANNELS,
        tags::NUMBER_OF_WAVEFORM_SAMPLES,
        tags::SAMPLING_FREQUENCY,
        tags::CHANNEL_DEFINITION_SEQUENCE,
        tags::WAVEFORM_BITS_ALLOCATED,
        tags::WAVEFORM_SAMPLE_INTERPRETATION,
        tags::WAVEFORM_DATA,
    ],
    two: &[],
};
const REPORT: Module = Module {
    name: "SR Document",
    one: &[
        tags::INSTANCE_NUMBER,
        tags::COMPLETION_FLAG,
        tags::VERIFICATION_FLAG,
        tags::CONTENT_DATE,
        tags::CONTENT_TIME,
        tags::VALUE_TYPE,
        tags::CONCEPT_NAME_CODE_SEQUENCE,
        tags::CONTINUITY_OF_CONTENT,
    ],
    two: &[tags::PERFORMED_PROCEDURE_CODE_SEQUENCE],
};
const ITEM: Module =
    Module { name: "SR Document Content", one: &[tags::RELATIONSHIP_TYPE, tags::VALUE_TYPE], two: &[] };
const DOCUMENT: Module = Module {
    name: "Encapsulated Document",
    one: &[tags::INSTANCE_NUMBER, tags::MIME_TYPE_OF_ENCAPSULATED_DOCUMENT, tags::ENCAPSULATED_DOCUMENT],
    two: &[tags::DOCUMENT_TITLE],
};
const SLIDE: Module = Module {
    name: "Whole Slide Microscopy Image",
    one: &[
        tags::IMAGE_TYPE,
        tags::TOTAL_PIXEL_MATRIX_COLUMNS,
        tags::TOTAL_PIXEL_MATRIX_ROWS,
        tags::CONTAINER_IDENTIFIER,
        tags::SPECIMEN_DESCRIPTION_SEQUENCE,
    ],
    two: &[],
};
const DOSE: Module = Module { name: "RT Dose", one: &[tags::DOSE_UNITS, tags::DOSE_TYPE], two: &[] };
const PLAN: Module = Module {
    name: "RT General Plan",
    one: &[tags::RT_PLAN_LABEL, tags::RT_PLAN_GEOMETRY],
    two: &[tags::RT_PLAN_DATE, tags::RT_PLAN_TIME],
};
const STRUCTURES: Module = Module {
    name: "Structure Set",
    one: &[tags::STRUCTURE_SET_LABEL],
    two: &[tags::STRUCTURE_SET_DATE, tags::STRUCTURE_SET_TIME],
};

/// Instances that are of no patient: palettes, protocols, implants.
static NOBODYS: [&str; 6] = [
    uids::HANGING_PROTOCOL_STORAGE,
    uids::COLOR_PALETTE_STORAGE,
    uids::GENERIC_IMPLANT_TEMPLATE_STORAGE,
    uids::IMPLANT_ASSEMBLY_TEMPLATE_STORAGE,
    uids::IMPLANT_TEMPLATE_GROUP_STORAGE,
    uids::CT_DEFINED_PROCEDURE_PROTOCOL_STORAGE,
];

/// The modules of a class, beside those of all.
fn of_class(class: &str) -> &'static [&'static Module] {
    match class {
        uids::CT_IMAGE_STORAGE => &[&CT, &PLANE, &REFERENCE],
        uids::MR_IMAGE_STORAGE => &[&MR, &PLANE, &REFERENCE],
        uids::POSITRON_EMISSION_TOMOGRAPHY_IMAGE_STORAGE => &[&PET, &PLANE, &REFERENCE],
        uids::COMPUTED_RADIOGRAPHY_IMAGE_STORAGE => &[&CR],
        uids::DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION
        | uids::DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PROCESSING => &[&DX],
        uids::SECONDARY_CAPTURE_IMAGE_STORAGE => &[&SC],
        uids::ENHANCED_CT_IMAGE_STORAGE | uids::ENHANCED_MR_IMAGE_STORAGE => &[&FRAMES, &EQUIPMENT, &CONTEXT],
        uids::SEGMENTATION_STORAGE => &[&SEG, &FRAMES, &EQUIPMENT],
        uids::VL_WHOLE_SLIDE_MICROSCOPY_IMAGE_STORAGE => &[&SLIDE, &EQUIPMENT, &CONTEXT],
        uids::ENCAPSULATED_PDF_STORAGE => &[&DOCUMENT],
        uids::RT_DOSE_STORAGE => &[&DOSE],
        uids::RT_PLAN_STORAGE => &[&PLAN],
        uids::RT_STRUCTURE_SET_STORAGE => &[&STRUCTURES],
        _ => &[],
    }
}

/// The elements that the instance's modules demand, of the modules that carry most (not all of PS3.3).
///
/// # Source
/// DICOM PS3.3, section A for which modules an instance has, section C for what is in them.
pub(super) fn modules(root: Level<'_>, report: &mut Report) {
    let class = root.first(tags::SOP_CLASS_UID).unwrap_or_default();
    module(root, &SOP, report);
    if !NOBODYS.contains(&class.as_str()) {
        COMPOSITE.iter().for_each(|m| module(root, m, report));
        if !class.starts_with(uids::SECONDARY_CAPTURE_IMAGE_STORAGE) {
            module(root, &DEVICE, report);
        }
    }
    of_class(&class).iter().for_each(|m| module(root, m, report));
    // Classes of waveforms and of reports are many; what is in them says it.
    if root.find(tags::WAVEFORM_SEQUENCE).is_some() {
        module(root, &WAVEFORM, report);
        module(root, &CONTEXT, report);
    }
    let reports = class.starts_with("1.2.840.10008.5.1.4.1.1.88.");
    if reports && class != uids::KEY_OBJECT_SELECTION_DOCUMENT_STORAGE {
        module(root, &REPORT, report);
        root.items(tags::CONTENT_SEQUENCE).for_each(|item| module(item, &ITEM, report));
    }
    root.items(tags::OTHER_PATIENT_I_DS_SEQUENCE).for_each(|item| module(item, &OTHER_ID, report));
    root.items(tags::SEGMENT_SEQUENCE).for_each(|item| module(item, &SEGMENT, report));
    root.items(tags::WAVEFORM_SEQUENCE).for_each(|item| multiplex(item, report));
    frames(root, report);
}

fn module(level: Level<'_>, module: &Module, report: &mut Report) {
    module.one.iter().for_each(|&tag| required(level, tag, module.name, report));
    module.two.iter().for_each(|&tag| present(level, tag, module.name, report));
}

/// An element that must be there and have a value (type 1).
pub(super) fn required(level: Level<'_>, tag: Tag, module: &str, report: &mut Report) {
    let held = level.find(tag).map(|e| e.length > 0 || level.data.children(e).elements().next().is_some());
    match held {
        None => report.error("dicom.type1", Some(tag), format!("missing; {module} demands it")),
        Some(false) => report.error("dicom.type1", Some(tag), format!("empty; {module} demands a value")),
        Some(true) => {}
    }
}

/// An element that must be there, if empty (type 2).
pub(super) fn present(level: Level<'_>, tag: Tag, module: &str, report: &mut Report) {
    if level.find(tag).is_none() {
        report.error("dicom.type2", Some(tag), format!("missing; {module} demands it, if empty"));
    }
}

/// A multiplex group has as many samples as it says.
fn multiplex(group: Level<'_>, report: &mut Report) {
    module(group, &MULTIPLEX, report);
    let number = |tag| group.integer(tag).and_then(|n| u64::try_from(n).ok());
    let parts =
        [tags::NUMBER_OF_WAVEFORM_CHANNELS, tags::NUMBER_OF_WAVEFORM_SAMPLES, tags::WAVEFORM_BITS_ALLOCATED];
    let bits = parts.iter().try_fold(1u64, |all, &tag| all.checked_mul(number(tag)?));
    if let (Some(bits), Some(samples)) = (bits, group.find(tags::WAVEFORM_DATA)) {
        let bytes = bits.div_ceil(8);
        if !(bytes..=bytes + 1).contains(&u64::from(samples.length)) {
            let message = "not as long as channels, samples and bits make it";
            report.error("dicom.waveform.length", Some(tags::WAVEFORM_DATA), message);
        }
    }
    let channels = group.items(tags::CHANNEL_DEFINITION_SEQUENCE).count() as u64;
    if number(tags::NUMBER_OF_WAVEFORM_CHANNELS).is_some_and(|n| n != channels) {
        let message = "not one definition for each channel";
        report.error("dicom.waveform.channels", Some(tags::CHANNEL_DEFINITION_SEQUENCE), message);
    }
}

/// Functional groups are as many as frames.
fn frames(root: Level<'_>, report: &mut Report) {
    let Some(groups) = root.find(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE) else { return };
    let found = root.data.items(groups).count();
    let said = root.integer(tags::NUMBER_OF_FRAMES).and_then(|n| usize::try_from(n).ok());
    if said.is_some_and(|n| n != found) {
        let message = format!("{found} items, not one for each frame");
        report.error("dicom.frames", Some(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE), message);
    }
}
