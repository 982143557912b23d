use chiasm_record::Event;

/// A row of MEDS that became an event, as it stood in its shard; its subject is the record's key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Restored<'a> {
    /// The shard, `train/0`.
    pub shard: &'a str,
    /// The row in it, from 0.
    pub row: u64,
    /// The code as it was written.
    pub code: &'a str,
    /// The value, with the bits of its NaN.
    pub value: Option<f32>,
}

/// The row that an event was; `None` where it was none. Text and time are the event's own, other columns
/// its attributes `meds.<column>`.
pub fn restored(event: &Event) -> Option<Restored<'_>> {
    let (shard, row) = event.attribute("meds")?.rsplit_once('#')?;
    let written = event.attribute("meds.code").or_else(|| event.attribute("local_code"));
    // A value that was converted to the usual unit stands as it was sent beside it.
    let sent = event.attribute("value_as_sent").and_then(|v| v.parse::<f64>().ok());
    let odd = event.attribute("meds.numeric_value").and_then(|bits| u32::from_str_radix(bits, 16).ok());
    let value = odd.map(f32::from_bits).or_else(|| Some(sent.or(event.value)? as f32));
    Some(Restored { shard, row: row.parse().ok()?, code: written.unwrap_or(event.code.as_str()), value })
}
