use super::attributes::{label, meaning};
use super::dataset::Level;
use chiasm_record::Event;
use dicom_core::Tag;
use dicom_dictionary_std::tags;
use std::collections::BTreeSet;

/// Functional groups of enhanced images: the group, its element and the attribute's name.
const GROUPS: [(Tag, Tag, &str); 12] = [
    (tags::PIXEL_MEASURES_SEQUENCE, tags::PIXEL_SPACING, "pixel_spacing"),
    (tags::PIXEL_MEASURES_SEQUENCE, tags::SLICE_THICKNESS, "slice_thickness"),
    (tags::PIXEL_MEASURES_SEQUENCE, tags::SPACING_BETWEEN_SLICES, "spacing_between_slices"),
    (tags::PLANE_ORIENTATION_SEQUENCE, tags::IMAGE_ORIENTATION_PATIENT, "image_orientation"),
    (tags::PLANE_POSITION_SEQUENCE, tags::IMAGE_POSITION_PATIENT, "image_position"),
    (tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE, tags::RESCALE_SLOPE, "rescale_slope"),
    (tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE, tags::RESCALE_INTERCEPT, "rescale_intercept"),
    (tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE, tags::RESCALE_TYPE, "rescale_type"),
    (tags::FRAME_VOILUT_SEQUENCE, tags::WINDOW_CENTER, "window_center"),
    (tags::FRAME_VOILUT_SEQUENCE, tags::WINDOW_WIDTH, "window_width"),
    (tags::FRAME_ANATOMY_SEQUENCE, tags::FRAME_LATERALITY, "frame_laterality"),
    (tags::SEGMENT_IDENTIFICATION_SEQUENCE, tags::REFERENCED_SEGMENT_NUMBER, "frame_segment"),
];

/// Adds what functional groups say of the frames: the one value where all frames share it; otherwise
/// the first and last in file order, under `_first` and `_last`, and how many differ, under `_distinct`.
pub(super) fn groups(mut event: Event, root: Level<'_>) -> Event {
    let shared = root.items(tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).next();
    let frames: Vec<Level<'_>> = root.items(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE).collect();
    if shared.is_none() && frames.is_empty() {
        return event;
    }
    for (group, tag, name) in GROUPS {
        if event.attribute(name).is_some() {
            continue;
        }
        let of = |level: Level<'_>| level.items(group).next().and_then(|g| g.text(tag));
        if let Some(value) = shared.and_then(of) {
            event = event.with(name, Some(value));
            continue;
        }
        let values: Vec<String> = frames.iter().copied().filter_map(of).map(label).collect();
        let distinct: BTreeSet<&str> = values.iter().map(String::as_str).collect();
        let (Some(first), Some(last)) = (values.first(), values.last()) else { continue };
        event = match distinct.len() {
            1 => event.with(name, Some(first)),
            n => event
                .with(&format!("{name}_first"), Some(first))
                .with(&format!("{name}_last"), Some(last))
                .with(&format!("{name}_distinct"), Some(n.to_string())),
        };
    }
    let anatomy = |level: Level<'_>| {
        let frame = level.items(tags::FRAME_ANATOMY_SEQUENCE).next()?;
        meaning(frame, tags::ANATOMIC_REGION_SEQUENCE)
    };
    let region = shared.and_then(anatomy).or_else(|| frames.first().copied().and_then(anatomy));
    event.with("anatomic_region", region)
}

/// Adds the segments of a segmentation, each as `number: label (property; algorithm)`.
pub(super) fn segments(mut event: Event, root: Level<'_>) -> Event {
    let segments: Vec<Level<'_>> = root.items(tags::SEGMENT_SEQUENCE).take(4096).collect();
    if segments.is_empty() {
        return event;
    }
    event = event.with("segments", Some(segments.len().to_string()));
    event = event.with("segmentation_type", root.text(tags::SEGMENTATION_TYPE));
    for segment in segments {
        let number = label(segment.text(tags::SEGMENT_NUMBER).unwrap_or_default());
        let name = label(segment.text(tags::SEGMENT_LABEL).unwrap_or_default());
        let property = meaning(segment, tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE);
        let algorithm = segment.text(tags::SEGMENT_ALGORITHM_TYPE);
        let more: Vec<String> = property.into_iter().chain(algorithm.map(label)).collect();
        let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join("; ")) };
        event = event.with("segment", Some(format!("{number}: {name}{more}")));
    }
    event
}

/// Adds what a waveform holds: per multiplex group its channels, their number, rate and duration.
pub(super) fn waveforms(mut event: Event, root: Level<'_>) -> Event {
    for group in root.items(tags::WAVEFORM_SEQUENCE).take(256) {
        let rate = group.reals(tags::SAMPLING_FREQUENCY).first().copied();
        let samples = group.integer(tags::NUMBER_OF_WAVEFORM_SAMPLES);
        let channels = group.items(tags::CHANNEL_DEFINITION_SEQUENCE).take(1024);
        let names: Vec<String> = channels.filter_map(|c| meaning(c, tags::CHANNEL_SOURCE_SEQUENCE)).collect();
        event = event
            .with("multiplex_group", group.text(tags::MULTIPLEX_GROUP_LABEL))
            .with("channels", group.text(tags::NUMBER_OF_WAVEFORM_CHANNELS))
            .with("channel_names", Some(names.join("\\")))
            .with("sampling_rate_hz", rate.map(|r| r.to_string()))
            .with("samples", samples.map(|n| n.to_string()));
        if let (Some(rate), Some(samples)) = (rate, samples)
            && rate > 0.0
        {
            event = event.with("duration_s", Some((samples as f64 / rate).to_string()));
        }
    }
    event
}
