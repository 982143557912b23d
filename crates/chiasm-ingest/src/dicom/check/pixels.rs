use super::Report;
use crate::dicom::dataset::{DataSet, ITEM, Level};
use crate::dicom::pixels::{Layout, palette};
use dicom_core::Tag;
use dicom_dictionary_std::tags;

/// Transfer syntaxes whose pixel data are not in fragments.
static NATIVE: [&str; 4] =
    ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"];

/// Pixel data against what their header says, and what the header says against itself.
///
/// # Source
/// DICOM PS3.3 section C.7.6.3 (pixels), C.7.6.2 (plane), C.7.9 (palettes), C.11.1 and C.11.2 (look-up
/// tables, windows); PS3.5 section 8 and annex A (encoding).
pub(super) fn pixels(data: &DataSet, report: &mut Report) {
    let root = data.root();
    let tables = [tags::MODALITY_LUT_SEQUENCE, tags::VOILUT_SEQUENCE];
    tables.iter().flat_map(|&t| root.items(t)).for_each(|item| table(item, report));
    plane(root, report);
    windows(root, report);
    let all = [tags::PIXEL_DATA, tags::FLOAT_PIXEL_DATA, tags::DOUBLE_FLOAT_PIXEL_DATA];
    let Some(element) = all.iter().find_map(|&tag| root.find(tag)) else { return };
    let demanded = [
        tags::ROWS,
        tags::COLUMNS,
        tags::SAMPLES_PER_PIXEL,
        tags::PHOTOMETRIC_INTERPRETATION,
        tags::BITS_ALLOCATED,
    ];
    demanded.iter().for_each(|&tag| super::modules::required(root, tag, "Image Pixel", report));
    let layout = match Layout::of(root) {
        Ok(layout) => layout,
        Err(message) => return report.error("dicom.pixel", None, message),
    };
    if element.tag == tags::PIXEL_DATA {
        let more = [tags::BITS_STORED, tags::HIGH_BIT, tags::PIXEL_REPRESENTATION];
        more.iter().for_each(|&tag| super::modules::required(root, tag, "Image Pixel", report));
        samples(root, &layout, report);
    }
    if layout.photometric == "PALETTE COLOR" && palette(data).is_none() {
        let tag = Some(tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR);
        report.error("dicom.palette", tag, "a palette that is missing, or shorter than it says");
    }
    let native = NATIVE.contains(&data.transfer_syntax());
    let fragments: Vec<_> = data.children(element).elements().filter(|e| e.tag == ITEM).collect();
    match (native, fragments.split_first()) {
        (true, None) => {
            let said = layout.bits().saturating_mul(u64::from(layout.frames)).div_ceil(8);
            let found = u64::from(element.length);
            if found < said {
                let message = format!("{found} bytes of pixel data instead of {said}");
                report.error("dicom.pixel.length", Some(element.tag), message);
            } else if found > said + said % 2 {
                let message = format!("{} bytes behind the last pixel", found - said);
                report.warning("dicom.pixel.length", Some(element.tag), message);
            }
        }
        (true, Some(_)) => {
            let message = "pixel data in fragments, which the transfer syntax does not allow";
            report.error("dicom.pixel.encapsulated", Some(element.tag), message);
        }
        (false, None) => {
            let message = "pixel data not in fragments, which the transfer syntax demands";
            report.error("dicom.pixel.encapsulated", Some(element.tag), message);
        }
        (false, Some((offsets, fragments))) => {
            if fragments.len() < layout.frames as usize {
                let message = format!("{} fragments for {} frames", fragments.len(), layout.frames);
                report.error("dicom.pixel.fragments", Some(element.tag), message);
            }
            if offsets.length > 0 && offsets.length / 4 != layout.frames {
                let message = "an offset table without one offset for each frame";
                report.error("dicom.pixel.offsets", Some(element.tag), message);
            }
        }
    }
}

/// What the header says of a sample.
fn samples(root: Level<'_>, layout: &Layout, report: &mut Report) {
    if root.integer(tags::HIGH_BIT).is_some_and(|high| high != i64::from(layout.stored) - 1) {
        report.error("dicom.pixel.bits", Some(tags::HIGH_BIT), "not one less than the bits stored");
    }
    if root.integer(tags::PIXEL_REPRESENTATION).is_some_and(|r| !(0..=1).contains(&r)) {
        report.error("dicom.pixel.sign", Some(tags::PIXEL_REPRESENTATION), "neither 0 nor 1");
    }
    let expected = match layout.photometric.as_str() {
        "MONOCHROME1" | "MONOCHROME2" | "PALETTE COLOR" => Some(1),
        "RGB" | "YBR_FULL" | "YBR_FULL_422" | "YBR_PARTIAL_420" | "YBR_PARTIAL_422" | "YBR_ICT"
        | "YBR_RCT" | "HSV" | "XYB" => Some(3),
        "ARGB" | "CMYK" => Some(4),
        _ => None,
    };
    let tag = Some(tags::PHOTOMETRIC_INTERPRETATION);
    match expected {
        None => report.error("dicom.pixel.photometric", tag, "none that the standard knows"),
        Some(n) if n != layout.samples => {
            let message = format!("of {n} samples, and a pixel has {}", layout.samples);
            report.error("dicom.pixel.photometric", tag, message);
        }
        Some(_) => {}
    }
    if layout.samples > 1 {
        super::modules::required(root, tags::PLANAR_CONFIGURATION, "Image Pixel", report);
    }
}

/// A modality's or an intent's look-up table.
fn table(item: Level<'_>, report: &mut Report) {
    let tag = Some(tags::LUT_DESCRIPTOR);
    let descriptor = item.reals(tags::LUT_DESCRIPTOR);
    let &[count, _, bits] = &descriptor[..] else {
        return report.error("dicom.lut", tag, "not the three values of a look-up table");
    };
    let count = if count == 0.0 { 65_536 } else { u64::from(count as i32 as u16) };
    if !(8.0..=16.0).contains(&bits) {
        report.error("dicom.lut", tag, "entries of fewer than 8 or more than 16 bits");
    }
    let bytes = item.find(tags::LUT_DATA).map_or(0, |e| u64::from(e.length));
    if bytes < count * if bits > 8.0 { 2 } else { 1 } {
        report.error(
            "dicom.lut",
            Some(tags::LUT_DATA),
            "a look-up table that is missing, or shorter than it says",
        );
    }
}

/// Spacing and orientation are those of a plane.
fn plane(root: Level<'_>, report: &mut Report) {
    let mut positive = |tag: Tag, count: usize| {
        let values = root.reals(tag);
        if root.find(tag).is_some_and(|e| e.length > 0)
            && (values.len() != count || values.iter().any(|v| *v <= 0.0))
        {
            report.error("dicom.spacing", Some(tag), format!("not {count} numbers above 0"));
        }
    };
    positive(tags::PIXEL_SPACING, 2);
    positive(tags::IMAGER_PIXEL_SPACING, 2);
    let tag = tags::IMAGE_ORIENTATION_PATIENT;
    if root.find(tag).is_none_or(|e| e.length == 0) {
        return;
    }
    let cosines = root.reals(tag);
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let upright = cosines.split_at_checked(3).is_some_and(|(row, column)| {
        let near = |value: f64, ideal: f64| (value - ideal).abs() < 1e-3;
        column.len() == 3
            && near(product(row, row), 1.0)
            && near(product(column, column), 1.0)
            && near(product(row, column), 0.0)
    });
    if !upright {
        report.error("dicom.orientation", Some(tag), "not two unit vectors at right angles");
    }
}

fn windows(root: Level<'_>, report: &mut Report) {
    let [centers, widths] = [tags::WINDOW_CENTER, tags::WINDOW_WIDTH].map(|tag| root.reals(tag));
    let least = match root.first(tags::VOILUT_FUNCTION).as_deref() {
        None | Some("LINEAR") => 1.0,
        _ => f64::MIN_POSITIVE,
    };
    if centers.len() != widths.len() || widths.iter().any(|w| *w < least) {
        report.error("dicom.window", Some(tags::WINDOW_WIDTH), "not a width of at least 1 for each center");
    }
}
