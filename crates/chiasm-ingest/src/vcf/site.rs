use super::alleles::{is_bases, shortest};
use super::annotation;
use super::header::Header;
use super::packed::{Values, digits};
use super::record::Record;
use super::text_of;
use chiasm_record::{Attributes, Code};

/// What a variant's code begins with.
const SYSTEM: &[u8] = b"VCF|";

/// What is the same for everybody who carries an allele.
pub(super) struct Site {
    pub code: Code,
    pub attributes: Attributes,
}

impl Site {
    /// Of one allele of `record`, which is number `index` of the alternative ones.
    pub fn of(record: &Record<'_>, index: usize, alternative: &[u8], header: &Header) -> Self {
        let name = |position: u64, reference: &[u8], other: &[u8]| {
            let mut name = Vec::with_capacity(64);
            name.extend_from_slice(SYSTEM);
            name.extend_from_slice(record.chromosome);
            name.push(b':');
            digits(position as i64, &mut name);
            for allele in [reference, other] {
                name.push(b':');
                name.extend_from_slice(allele);
            }
            text_of(&name).into_owned()
        };
        let mut attributes = Attributes::new().with_room(64);
        let mut add = |name: &str, value: &[u8]| {
            if value != b"." && !value.is_empty() {
                attributes.push((name, text_of(value)));
            }
        };
        add("id", record.id);
        add("filter", record.filter);
        add("qual", record.quality);
        let [frequency, kind, end, length, ..] = record.kept;
        if let Some(value) = frequency.map(Values::written) {
            add("INFO.AF", value.split(|&b| b == b',').nth(index).unwrap_or_default());
        }
        for (name, value) in [("SVTYPE", kind), ("END", end), ("SVLEN", length)] {
            add(name, &value.map(Values::written).unwrap_or_default());
        }
        let whole = name(record.position, record.reference, alternative);
        let bases = is_bases(alternative);
        let (position, gone, come) = shortest(record.position, record.reference, alternative);
        if bases && (gone.len(), come.len()) != (record.reference.len(), alternative.len()) {
            // The shortest form that keeps a base on both sides, as VCF needs it.
            let padded = gone.is_empty() || come.is_empty();
            let before = (position - record.position) as usize;
            let from = before - usize::from(padded && before > 0);
            let minimal = name(
                record.position + from as u64,
                &record.reference[from..before + gone.len()],
                &alternative[from..before + come.len()],
            );
            if minimal != whole && (!padded || before > 0) {
                add("minimal", &minimal.as_bytes()[SYSTEM.len()..]);
            }
        }
        attributes.extend(annotation::of(record, alternative, header));
        Self { code: Code::verbatim(whole), attributes }
    }
}
