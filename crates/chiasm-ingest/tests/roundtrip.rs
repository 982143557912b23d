//! What the csv crate writes reads back as it was.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use chiasm_ingest::{Budget, Delimiter, delimited, gzip};
use proptest::prelude::*;
use std::io::Write;

/// Cells with what makes CSV hard: quotes, delimiters, line ends, spaces, other scripts.
fn cell() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            Just("\""),
            Just(","),
            Just(";"),
            Just("\t"),
            Just("|"),
            Just("\n"),
            Just("\r\n"),
            Just("\r"),
            Just(" "),
            Just("a"),
            Just("1"),
            Just("é"),
            Just("漢"),
            Just("\u{feff}")
        ],
        0..5,
    )
    .prop_map(|parts| parts.concat())
}

fn table() -> impl Strategy<Value = Vec<Vec<String>>> {
    (2usize..6, 0usize..6).prop_flat_map(|(width, rows)| {
        proptest::collection::vec(proptest::collection::vec(cell(), width), rows)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn csv_reads_back(rows in table(), crlf in any::<bool>(), which in 0usize..4) {
        let delimiter = Delimiter::ALL[which];
        let width = rows.first().map_or(2, Vec::len);
        let header: Vec<String> = (0..width).map(|i| format!("c{i}")).collect();
        let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer =
            csv::WriterBuilder::new().delimiter(delimiter.byte()).terminator(terminator).from_writer(Vec::new());
        writer.write_record(&header).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        for expected in [Some(delimiter), None] {
            let table = delimited::parse("t", &bytes, expected, &mut Budget::default()).unwrap();
            prop_assert_eq!(table.rows, rows.len());
            prop_assert_eq!(table.columns.len(), width);
            for (r, row) in rows.iter().enumerate() {
                for (c, cell) in row.iter().enumerate() {
                    prop_assert_eq!(&*table.columns[c].cells.text(r), cell.as_str());
                }
            }
            // Every row starts on a line of its own, in order, as an editor counts them.
            prop_assert!(table.lines.windows(2).all(|w| w[0] < w[1]));
        }
    }

    #[test]
    fn gzip_reads_back(content in proptest::collection::vec(any::<u8>(), 0..2000), cut in 0usize..2000) {
        let (a, b) = content.split_at(cut.min(content.len()));
        let pack = |part: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(part).unwrap();
            encoder.finish().unwrap()
        };
        let bytes = [pack(a), pack(b)].concat();
        prop_assert_eq!(gzip::unpack("t", &bytes, &mut Budget::default()).unwrap(), content);
    }
}
