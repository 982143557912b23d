use super::*;
use crate::feed::{Entry, FeedFormat, Rejected, Severity};
use arrow::array::{
    ArrayRef, Float32Array, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    TimestampNanosecondArray,
};
use chiasm_record::{Attributes, Event};
use parquet::arrow::ArrowWriter;
use std::path::PathBuf;
use std::sync::Arc;

fn fixture(name: &str) -> Source {
    Source::file(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/meds").join(name))
}

fn read_all(source: &Source) -> (Vec<Entry>, Vec<Rejected>) {
    let mut sink = (Vec::new(), Vec::new());
    read(source, &Feed::utc("s"), &mut sink).unwrap();
    sink
}

fn events(entries: &[Entry]) -> Vec<(Option<String>, &Event)> {
    let all = entries.iter().flat_map(|e| &e.subjects);
    all.flat_map(|m| {
        let key = m.identity.as_ref().and_then(|i| i.key()).map(|k| format!("{}/{}", k.authority, k.value));
        m.events.iter().map(move |e| (key.clone(), e))
    })
    .collect()
}

fn written(columns: Vec<(&str, ArrayRef)>) -> Source {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    Source::memory("a/data/0.parquet", writer.into_inner().unwrap())
}

fn rows(subjects: Vec<Option<i64>>, times: Vec<Option<i64>>, codes: Vec<Option<&str>>) -> Source {
    written(vec![
        ("subject_id", Arc::new(Int64Array::from(subjects))),
        ("time", Arc::new(TimestampMicrosecondArray::from(times))),
        ("code", Arc::new(StringArray::from(codes))),
    ])
}

#[test]
fn rows_become_events_of_their_subjects() {
    let (entries, rejected) = read_all(&fixture("data/train/0.parquet"));
    assert!(rejected.is_empty() && entries.len() == 1, "{rejected:?}");
    let all = events(&entries);
    // Thirteen rows, and the shard's schema, which is about nobody.
    assert_eq!(all.len(), 14);
    let of = |code: &str| all.iter().find(|(_, e)| e.code.as_str() == code).unwrap();
    let (key, glucose) = of("LOINC|2345-7");
    assert_eq!(key.as_deref(), Some("s|MEDS|fixture/12345678"));
    assert_eq!(
        (glucose.value, glucose.unit.as_deref(), glucose.modality.as_str()),
        (Some(5.5), Some("mmol/L"), "labs")
    );
    assert_eq!(glucose.attribute("meds"), Some("train/0#3"));
    assert_eq!(glucose.attribute("meds.code"), Some("LOINC//2345-7"));
    assert_eq!(glucose.attribute("meds.ratio"), Some("0.1"));
    assert_eq!(glucose.times.happened.unwrap().start() % 1_000_000, 123_456);
    let (key, birth) = all
        .iter()
        .find(|(k, e)| e.code.as_str() == "MEDS_BIRTH" && k.as_deref() == Some("s|MEDS|fixture/-5"))
        .unwrap();
    assert!(key.is_some() && birth.times.happened.is_some() && birth.modality.as_str() == "demographics");
    assert!(of("EYE_COLOR//BROWN").1.times.happened.is_none());
    let shard = of(SHARD);
    assert_eq!((shard.0.as_deref(), shard.1.attribute("meds.set")), (None, Some("s|MEDS|fixture")));
    let schema = entries[0].assets.iter().find(|a| Some(a.id) == shard.1.asset).unwrap();
    let crate::feed::AssetBytes::Memory(bytes) = &schema.bytes else { panic!("in memory") };
    let kept = parquet_schema("s", bytes.clone()).unwrap();
    let original = Columnar::open(&fixture("data/train/0.parquet"), 9).unwrap();
    assert_eq!(kept.fields(), original.schema.fields());
}

#[test]
fn a_row_can_be_given_back_to_the_bit() {
    let (entries, _) = read_all(&fixture("data/train/0.parquet"));
    let all = events(&entries);
    let of = |code: &str| all.iter().find_map(|(_, e)| restored(e).filter(|r| r.code == code)).unwrap();
    assert_eq!(of("LAB//NAN").value.unwrap().to_bits(), 0x7FC0_0000);
    assert_eq!(of("LAB//ODD_NAN").value.unwrap().to_bits(), 0xFFC1_2345);
    assert_eq!(of("LAB//MINUS_ZERO").value.unwrap().to_bits(), 0x8000_0000);
    assert_eq!(of("LAB//TINY").value.unwrap().to_bits(), 1);
    assert_eq!((of("NOTE//ED").value, of("NOTE//ED").row), (None, 9));
    // What the site says of codes and units changes the event, and not the row.
    let mut event = all.iter().find(|(_, e)| e.code.as_str() == "LOINC|2345-7").unwrap().1.clone();
    event.value = Some(99.0858);
    event.attributes.push(("value_as_sent".to_owned(), "5.5".to_owned()));
    assert_eq!(
        (restored(&event).unwrap().value, restored(&event).unwrap().code),
        (Some(5.5), "LOINC//2345-7")
    );
    assert_eq!(restored(&Event { attributes: Attributes::new(), ..event }), None);
}

#[test]
fn metadata_is_kept_as_it_is() {
    for (file, code) in [
        ("metadata/codes.parquet", "MEDS|codes.parquet"),
        ("metadata/subject_splits.parquet", "MEDS|subject_splits.parquet"),
        ("metadata/dataset.json", "MEDS|dataset.json"),
    ] {
        let source = fixture(file);
        let head = source.head(1 << 16).unwrap();
        assert_eq!(FeedFormat::of(&head, file), Some(FeedFormat::Meds), "{file}");
        let (entries, _) = read_all(&source);
        let all = events(&entries);
        assert_eq!((all.len(), all[0].1.code.as_str(), all[0].0.as_deref()), (1, code, None));
        assert_eq!(all[0].1.attribute("meds.set"), Some("s|MEDS|fixture"));
        assert_eq!(
            entries[0].assets[0].id,
            crate::feed::Asset::memory("", source.bytes(1 << 20).unwrap()).id
        );
        assert!(check(&source).unwrap().is_valid(), "{:?}", check(&source));
    }
}

#[test]
fn check_knows_the_rules() {
    let checked = check(&fixture("data/train/0.parquet")).unwrap();
    assert!(checked.is_valid(), "{checked:?}");
    let content = |name: &str| checked.contents.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    assert_eq!(
        (content("rows"), content("subjects"), content("row groups")),
        (Some("13"), Some("2"), Some("3"))
    );
    let broken = |source: &Source| {
        let checked = check(source).unwrap();
        let errors = checked.faults.iter().filter(|f| f.severity == Severity::Error);
        errors.map(|f| (f.rule.clone(), f.place.clone())).collect::<Vec<_>>()
    };
    let rule = |rule: &str, place: &str| vec![(rule.to_owned(), place.to_owned())];
    let source = rows(vec![Some(1), Some(1)], vec![Some(5), Some(4)], vec![Some("a"), Some("b")]);
    assert_eq!(broken(&source), rule("meds.sorted", "row 1"));
    let source = rows(vec![Some(1), Some(1)], vec![Some(5), None], vec![Some("a"), Some("b")]);
    assert_eq!(broken(&source), rule("meds.sorted", "row 1"));
    let source = rows(vec![Some(1), Some(2), Some(1)], vec![None; 3], vec![Some("a"); 3]);
    assert_eq!(broken(&source), rule("meds.contiguous", "row 2"));
    let source = rows(vec![Some(1), None], vec![None; 2], vec![None, Some("a")]);
    let rules: Vec<String> = broken(&source).into_iter().map(|(r, _)| r).collect();
    assert_eq!(rules, ["meds.subject_id", "meds.code"]);
    let source = written(vec![
        ("subject_id", Arc::new(Int32Array::from(vec![1]))),
        ("time", Arc::new(TimestampMicrosecondArray::from(vec![1]))),
        ("code", Arc::new(StringArray::from(vec!["a"]))),
    ]);
    assert_eq!(broken(&source), rule("meds.type", "column 'subject_id'"));
    // It is read all the same: no number is lost.
    assert_eq!(events(&read_all(&source).0).len(), 2);
}

#[test]
fn rows_that_break_a_rule_go_one_by_one_and_others_stay() {
    let source = rows(
        vec![Some(1), None, Some(2), Some(3)],
        vec![None, None, None, Some(i64::MAX)],
        vec![Some("a"), Some("b"), None, Some("d")],
    );
    let (entries, rejected) = read_all(&source);
    let rules: Vec<(&str, &str)> = rejected.iter().map(|r| (r.rule.as_str(), r.place.as_str())).collect();
    assert_eq!(rules, [("meds.subject_id", "row 1"), ("meds.code", "row 2"), ("meds.time", "row 3")]);
    assert_eq!(events(&entries).len(), 2);
    // A file that is wrong everywhere does not fill the quarantine.
    let (_, rejected) = read_all(&rows(vec![None; 5000], vec![None; 5000], vec![Some("a"); 5000]));
    assert_eq!((rejected.len(), rejected[1000].message.as_str()), (1001, "4000 more rows break this rule"));
}

#[test]
fn what_is_no_file_of_meds_says_so() {
    let error = |source: &Source| {
        let mut sink: (Vec<Entry>, Vec<Rejected>) = Default::default();
        read(source, &Feed::utc("s"), &mut sink).unwrap_err().to_string()
    };
    let time = || Arc::new(TimestampMicrosecondArray::from(vec![1])) as ArrayRef;
    let other = written(vec![("x", time())]);
    assert!(error(&other).contains("columns of a MEDS file"), "{}", error(&other));
    let labels =
        written(vec![("subject_id", Arc::new(Int64Array::from(vec![1]))), ("prediction_time", time())]);
    assert!(error(&labels).contains("labels of a task"));
    let nanos = written(vec![
        ("subject_id", Arc::new(Int64Array::from(vec![1]))),
        ("time", Arc::new(TimestampNanosecondArray::from(vec![1]))),
        ("code", Arc::new(StringArray::from(vec!["a"]))),
    ]);
    assert!(error(&nanos).contains("column 'time'"));
    let words = written(vec![
        ("subject_id", Arc::new(StringArray::from(vec!["1"]))),
        ("time", time()),
        ("code", Arc::new(StringArray::from(vec!["a"]))),
    ]);
    assert!(error(&words).contains("column 'subject_id'"));
    // Cut off anywhere: an error or what could be read, never a panic.
    let whole = fixture("data/train/0.parquet").bytes(1 << 20).unwrap();
    for n in (4..whole.len()).step_by(97) {
        let cut = Source::memory("a.parquet", whole.slice(..n));
        assert!(error(&cut).contains("damaged"), "{n}");
        assert!(check(&cut).is_err());
    }
    assert!(error(&Source::memory("dataset.json", "{")).contains("JSON object"));
}

#[test]
fn the_same_rows_are_the_same_entry_and_others_are_not() {
    let of = |value: f32, text: Option<&str>| {
        let source = written(vec![
            ("subject_id", Arc::new(Int64Array::from(vec![1]))),
            ("time", Arc::new(TimestampMicrosecondArray::from(vec![1]))),
            ("code", Arc::new(StringArray::from(vec!["a"]))),
            ("numeric_value", Arc::new(Float32Array::from(vec![value]))),
            ("text_value", Arc::new(StringArray::from(vec![text]))),
        ]);
        read_all(&source).0[0].key
    };
    assert_eq!(of(1.0, None), of(1.0, None));
    assert_ne!(of(0.0, None), of(-0.0, None));
    assert_ne!(of(1.0, None), of(1.0, Some("")));
}

#[test]
fn long_shards_are_entries_of_some_rows() {
    let n = 3000i64;
    let source = rows(
        (0..n).map(|i| Some(i / 10)).collect(),
        (0..n).map(|i| Some(i % 10)).collect(),
        vec![Some("a"); 3000],
    );
    let (entries, _) = read_all(&source);
    let places: Vec<&str> = entries.iter().map(|e| e.place.as_str()).collect();
    assert_eq!(places, ["rows 0-1023", "rows 1024-2047", "rows 2048-2999"]);
    assert_eq!(entries.iter().map(Entry::events).sum::<usize>(), 3001);
}

#[test]
fn altered_files_are_answered() {
    let whole = fixture("data/train/0.parquet").bytes(1 << 20).unwrap().to_vec();
    let mut dice = 0x9E37_79B9_7F4A_7C15u64;
    for _ in 0..600 {
        let mut bytes = whole.clone();
        for _ in 0..4 {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            let at = (dice >> 16) as usize % bytes.len();
            bytes[at] = dice as u8;
        }
        let source = Source::memory("person.parquet", bytes);
        let mut sink: (Vec<Entry>, Vec<Rejected>) = Default::default();
        let _ = read(&source, &Feed::utc("s"), &mut sink);
        let _ = check(&source);
        let _ = crate::omop::read(&source, &Feed::utc("s"), &mut sink);
        let _ = crate::omop::check(&source);
    }
}

#[test]
fn a_text_that_a_million_rows_share_does_not_fill_memory() {
    // Dictionaries make six thousand rows of a quarter of a mebibyte each a file of as much.
    let word = "x".repeat(1 << 18);
    let n = 6000usize;
    let of = |name: &str| {
        let keys = arrow::array::Int32Array::from(vec![0; n]);
        let values = Arc::new(StringArray::from(vec![word.as_str()]));
        let texts = arrow::array::DictionaryArray::new(keys, values);
        written(vec![
            ("subject_id", Arc::new(Int64Array::from(vec![1; n]))),
            ("time", Arc::new(TimestampMicrosecondArray::from(vec![None; n]))),
            ("code", Arc::new(StringArray::from(vec!["a"; n]))),
            (name, Arc::new(texts)),
        ])
    };
    struct Nothing;
    impl Sink for Nothing {
        fn entry(&mut self, _: Entry) -> Result<(), crate::feed::SinkError> {
            Ok(())
        }
        fn reject(&mut self, _: Rejected) -> Result<(), crate::feed::SinkError> {
            Ok(())
        }
    }
    for name in ["text_value", "other"] {
        let error = read(&of(name), &Feed::utc("s"), &mut Nothing).unwrap_err();
        assert!(matches!(error, crate::Error::TooLarge { .. }), "{error}");
    }
}
