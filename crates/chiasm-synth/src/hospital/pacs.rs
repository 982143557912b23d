//! The PACS's export: DICOM Part 10 files in folders by patient, study and series.

use super::calendar::{System, compact};
use super::case::{Case, LABEL};
use super::config::HospitalConfig;
use super::course::{Study, uid};
use super::dice::{Dice, Part, splitmix};
use super::disease::Evidence;
use super::pixels::{self, CT_SPACING, CT_WIDTH, Drawn, FILM_WIDTH};
use crate::Error;
use dicom_core::value::{DataSetSequence, PrimitiveValue, Value};
use dicom_core::{DataElement, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use std::io;

/// Whose the PACS's patient numbers are.
pub(crate) const PACS: &str = "CHIASM_PACS";
/// How many instances name the EHR's number beside the PACS's.
const BOTH_NUMBERS: f64 = 0.25;
const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";

/// How many instances a study has.
pub(crate) fn instances(config: &HospitalConfig, study: &Study) -> usize {
    if study.kind == Evidence::Ct { usize::from(config.ct_images) } else { 1 }
}

/// The UID of an instance of a study.
pub(crate) fn instance(seed: u64, patient: u64, study: &Study, n: usize) -> String {
    let of_study = study.accession.bytes().fold(0_u64, |h, b| splitmix(h ^ u64::from(b)));
    uid(seed ^ of_study, patient, 1_000 + n as u64)
}

/// The SOP class of a study's instances.
pub(crate) fn sop_class(study: &Study) -> &'static str {
    match study.kind {
        Evidence::Ct => "1.2.840.10008.5.1.4.1.1.2",
        _ => "1.2.840.10008.5.1.4.1.1.1",
    }
}

/// The lesions as they are drawn in a study, in the order of the nodules.
pub(crate) fn lesions(case: &Case<'_>, study: &Study) -> Vec<Drawn> {
    let (config, days) = (case.config, case.disease.days(study.acquired));
    let middle = middle(case);
    let drawn = case.disease.nodules.iter().map(|nodule| match study.kind {
        Evidence::Ct => pixels::in_ct(nodule, days, config.ct_side.into(), config.ct_images.into(), middle),
        _ => pixels::on_film(nodule, days, config.film_side.into()),
    });
    drawn.collect()
}

/// The height in the lung that the CT series is centred on: near the first nodule.
fn middle(case: &Case<'_>) -> f64 {
    let mut dice = Dice::new(case.config.seed, case.person.index, Part::Ct);
    case.disease.nodules[0].y + dice.between(-0.03, 0.03)
}

/// The files of all studies: path below the PACS's folder, and bytes.
///
/// # Errors
/// What `write` says.
pub(crate) fn files(
    case: &Case<'_>,
    write: &mut dyn FnMut(String, io::Result<Vec<u8>>) -> Result<(), Error>,
) -> Result<(), Error> {
    for (n, study) in case.course.studies.iter().enumerate() {
        let drawn = lesions(case, study);
        let folder = format!("{:04}/{}/{}", case.person.index / 1_000, case.filed(n).id, study.accession);
        for i in 0..instances(case.config, study) {
            write(format!("{folder}/IM{:04}.dcm", i + 1), encode(case, n, i, &drawn))?;
        }
    }
    Ok(())
}

struct Draft(InMemDicomObject);

impl Draft {
    fn text(&mut self, tag: Tag, vr: VR, value: &str) {
        self.0.put(DataElement::new(tag, vr, PrimitiveValue::from(value)));
    }

    fn whole(&mut self, tag: Tag, value: u16) {
        self.0.put(DataElement::new(tag, VR::US, PrimitiveValue::from(value)));
    }

    fn decimals(&mut self, tag: Tag, values: &[f64]) {
        // 16 characters at most.
        let text: Vec<String> = values.iter().map(|v| format!("{}", (v * 1e4).round() / 1e4)).collect();
        self.text(tag, VR::DS, &text.join("\\"));
    }
}

fn encode(case: &Case<'_>, at: usize, image: usize, drawn: &[Drawn]) -> io::Result<Vec<u8>> {
    let (config, study) = (case.config, &case.course.studies[at]);
    let (chart, is_ct) = (case.filed(at), study.kind == Evidence::Ct);
    let uid = instance(config.seed, case.person.index, study, image);
    let mut d = Draft(InMemDicomObject::new_empty());
    d.text(tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192");
    d.text(tags::IMAGE_TYPE, VR::CS, if is_ct { "ORIGINAL\\PRIMARY\\AXIAL" } else { "ORIGINAL\\PRIMARY" });
    d.text(tags::SOP_CLASS_UID, VR::UI, sop_class(study));
    d.text(tags::SOP_INSTANCE_UID, VR::UI, &uid);
    // The modality's clock shows when; a second passes between images.
    let taken = case.clocks.at(System::Pacs, study.acquired + if is_ct { image as i64 } else { 0 });
    let began = case.clocks.at(System::Pacs, study.acquired);
    for tag in [tags::STUDY_DATE, tags::SERIES_DATE] {
        d.text(tag, VR::DA, &began.dicom_date());
    }
    for tag in [tags::STUDY_TIME, tags::SERIES_TIME] {
        d.text(tag, VR::TM, &began.dicom_time());
    }
    d.text(tags::ACQUISITION_DATE, VR::DA, &taken.dicom_date());
    d.text(tags::CONTENT_DATE, VR::DA, &taken.dicom_date());
    d.text(tags::ACQUISITION_TIME, VR::TM, &taken.dicom_time());
    d.text(tags::CONTENT_TIME, VR::TM, &taken.dicom_time());
    d.text(tags::TIMEZONE_OFFSET_FROM_UTC, VR::SH, &began.dicom_offset());
    d.text(tags::ACCESSION_NUMBER, VR::SH, &study.accession);
    d.text(tags::MODALITY, VR::CS, if is_ct { "CT" } else { "CR" });
    d.text(tags::MANUFACTURER, VR::LO, "Chiasm synth");
    d.text(tags::INSTITUTION_NAME, VR::LO, LABEL);
    d.text(tags::REFERRING_PHYSICIAN_NAME, VR::PN, "");
    d.text(tags::STUDY_DESCRIPTION, VR::LO, if is_ct { "CT Chest" } else { "XR Chest PA" });
    d.text(tags::PATIENT_NAME, VR::PN, &format!("{}^{}", chart.family, chart.given));
    d.text(tags::PATIENT_ID, VR::LO, &chart.id);
    d.text(tags::ISSUER_OF_PATIENT_ID, VR::LO, PACS);
    d.text(tags::PATIENT_BIRTH_DATE, VR::DA, &chart.birth.map(compact).unwrap_or_default());
    d.text(tags::PATIENT_SEX, VR::CS, chart.sex());
    if let Some(birth) = chart.birth {
        let day = case.clocks.day(study.acquired);
        let age = i64::from(day.year() - birth.year())
            - i64::from((day.month(), day.day()) < (birth.month(), birth.day()));
        d.text(tags::PATIENT_AGE, VR::AS, &format!("{age:03}Y"));
    }
    let mut dice = Dice::new(config.seed, case.person.index * 64 + at as u64, Part::Film);
    if dice.chance(BOTH_NUMBERS) {
        let mut other = Draft(InMemDicomObject::new_empty());
        other.text(tags::PATIENT_ID, VR::LO, &case.ehr[case.course.visits[study.visit].chart].id);
        other.text(tags::ISSUER_OF_PATIENT_ID, VR::LO, super::hl7::EHR);
        other.text(tags::TYPE_OF_PATIENT_ID, VR::CS, "TEXT");
        let item = Value::Sequence(DataSetSequence::from(vec![other.0]));
        d.0.put(DataElement::new(tags::OTHER_PATIENT_I_DS_SEQUENCE, VR::SQ, item));
    }
    d.text(tags::BODY_PART_EXAMINED, VR::CS, "CHEST");
    d.text(tags::STUDY_INSTANCE_UID, VR::UI, &study.uid);
    d.text(tags::SERIES_INSTANCE_UID, VR::UI, &study.series);
    d.text(tags::STUDY_ID, VR::SH, &study.accession);
    d.text(tags::SERIES_NUMBER, VR::IS, "1");
    d.text(tags::INSTANCE_NUMBER, VR::IS, &(image + 1).to_string());
    d.text(tags::IMAGE_COMMENTS, VR::LT, LABEL);
    let seed = dice.bits();
    let (side, haze) = (if is_ct { config.ct_side } else { config.film_side }, case.disease.inflammation);
    let pixels = if is_ct {
        let spacing = CT_WIDTH / f64::from(side);
        d.text(tags::FRAME_OF_REFERENCE_UID, VR::UI, &self::uid(seed, case.person.index, 7));
        d.text(tags::POSITION_REFERENCE_INDICATOR, VR::LO, "");
        d.text(tags::ACQUISITION_NUMBER, VR::IS, "1");
        d.decimals(tags::SLICE_THICKNESS, &[CT_SPACING]);
        d.decimals(tags::SPACING_BETWEEN_SLICES, &[CT_SPACING]);
        d.decimals(tags::PIXEL_SPACING, &[spacing, spacing]);
        d.decimals(tags::IMAGE_ORIENTATION_PATIENT, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
        let corner = (spacing - CT_WIDTH) / 2.0;
        // The first image is the highest.
        let z =
            -240.0 * middle(case) + CT_SPACING * ((f64::from(config.ct_images) - 1.0) / 2.0 - image as f64);
        d.decimals(tags::IMAGE_POSITION_PATIENT, &[corner, corner, z]);
        d.decimals(tags::SLICE_LOCATION, &[z]);
        d.decimals(tags::KVP, &[120.0]);
        d.decimals(tags::RESCALE_INTERCEPT, &[-1_024.0]);
        d.decimals(tags::RESCALE_SLOPE, &[1.0]);
        d.text(tags::RESCALE_TYPE, VR::LO, "HU");
        d.decimals(tags::WINDOW_CENTER, &[-500.0]);
        d.decimals(tags::WINDOW_WIDTH, &[1_500.0]);
        pixels::ct(drawn, haze, image, side.into(), seed)
    } else {
        let spacing = FILM_WIDTH / f64::from(side);
        d.text(tags::VIEW_POSITION, VR::CS, "PA");
        d.text(tags::PATIENT_ORIENTATION, VR::CS, "L\\F");
        d.decimals(tags::IMAGER_PIXEL_SPACING, &[spacing, spacing]);
        d.decimals(tags::WINDOW_CENTER, &[1_800.0]);
        d.decimals(tags::WINDOW_WIDTH, &[3_600.0]);
        pixels::film(drawn, haze, case.disease.frailty, side.into(), seed)
    };
    d.whole(tags::SAMPLES_PER_PIXEL, 1);
    d.text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2");
    d.whole(tags::ROWS, side);
    d.whole(tags::COLUMNS, side);
    d.whole(tags::BITS_ALLOCATED, 16);
    d.whole(tags::BITS_STORED, 12);
    d.whole(tags::HIGH_BIT, 11);
    d.whole(tags::PIXEL_REPRESENTATION, 0);
    d.0.put(DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(pixels.into())));
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(EXPLICIT_LITTLE)
        .media_storage_sop_class_uid(sop_class(study))
        .media_storage_sop_instance_uid(&uid)
        .source_application_entity_title("CHIASM_SYNTH");
    let file = d.0.with_meta(meta).map_err(io::Error::other)?;
    let mut bytes = Vec::new();
    file.write_all(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes)
}
