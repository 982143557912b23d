use super::*;
use crate::feed::{Entry, Feed, Rejected};

const GCT2: &str = "#1.2\n3\t2\nName\tDescription\tS1\tS2\nENSG00000141510.17\tTP53\t1.5\t-2\nKRAS\tna\tNA\t1e3\n1007_s_at\tDDR1\t0\t\n";
const GCT3: &str = "#1.3\n2\t2\t1\t2\nid\tpr_gene_symbol\tS1\tS2\nage\tna\t44\t-666\ntissue\tna\tlung\tliver\n7157\tTP53\t1\t2\n3845\tKRAS\t3\tNaN\n";
const TSV: &str = "# log2\nHugo_Symbol\tEntrez_Gene_Id\tS1\tS2\nTP53\t7157\t1\t2\nKRAS\t3845\t3\tx\nBRAF\t673\t5\nEGFR\t1956\t7\tinf\nMYC\t4609\t9\t10\n";

fn taken(text: &str) -> (Vec<Entry>, Vec<Rejected>) {
    let mut sink = (Vec::new(), Vec::new());
    read(&Source::memory("m", text.to_owned()), &Feed::utc("site"), &mut sink).unwrap();
    sink
}

/// Code and value of every event of one entry.
fn values(entry: &Entry) -> Vec<(&str, Option<f64>)> {
    entry.subjects[0].events.iter().map(|e| (e.code.as_str(), e.value)).collect()
}

fn faults(text: &str) -> Vec<(String, String)> {
    let checked = check(&Source::memory("m", text.to_owned())).unwrap();
    checked.faults.into_iter().map(|f| (f.rule, f.place)).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(rule, place)| ((*rule).to_owned(), (*place).to_owned())).collect()
}

#[test]
fn gct_is_turned_into_an_entry_for_each_sample() {
    let (entries, rejected) = taken(GCT2);
    assert!(rejected.is_empty() && entries[0].findings.is_empty());
    assert_eq!((entries.len(), entries[0].assets.len()), (3, 1));
    let tp53 = "ENSEMBL|ENSG00000141510.17";
    assert_eq!(values(&entries[1]), [(tp53, Some(1.5)), ("FEATURE|1007_s_at", Some(0.0))]);
    assert_eq!(values(&entries[2]), [(tp53, Some(-2.0)), ("SYMBOL|KRAS", Some(1000.0))]);
    let mention = &entries[2].subjects[0];
    let key = mention.identity.as_ref().unwrap().key().unwrap();
    assert_eq!((key.authority.as_str(), key.value.as_str()), ("site|sample", "S2"));
    let event = &mention.events[0];
    assert_eq!((event.specimen.as_deref(), event.attribute("name")), (Some("S2"), Some("TP53")));
    assert_eq!(mention.events[1].attribute("name"), None);
    assert_eq!(faults(GCT2), []);
}

#[test]
fn lines_about_samples_are_events_of_them() {
    let (entries, rejected) = taken(GCT3);
    assert!(rejected.is_empty());
    let events = &entries[1].subjects[0].events;
    assert_eq!((events[0].code.as_str(), events[0].text.as_deref()), ("GCT|age", Some("44")));
    let expected = [("GCT|tissue", None), ("ENTREZ|7157", Some(2.0))];
    assert_eq!(values(&entries[2]), expected);
    assert_eq!(entries[2].subjects[0].events[1].attribute("name"), Some("TP53"));
    let checked = check(&Source::memory("m", GCT3)).unwrap();
    assert_eq!((checked.format.as_str(), checked.version.as_deref()), ("GCT", Some("1.3")));
    assert!(checked.is_valid(), "{:?}", checked.faults);
}

#[test]
fn broken_lines_are_named_by_line_and_column_and_the_others_are_read() {
    let (entries, rejected) = taken(TSV);
    assert_eq!(values(&entries[1]), [("SYMBOL|TP53", Some(1.0)), ("SYMBOL|MYC", Some(9.0))]);
    let expected = pairs(&[
        ("expression.number", "line 4, column 4"),
        ("expression.columns", "line 5"),
        ("expression.number", "line 6, column 4"),
    ]);
    let found: Vec<_> = rejected.iter().map(|r| (r.rule.clone(), r.place.clone())).collect();
    assert_eq!(found, expected);
    assert_eq!(faults(TSV), expected);
    let offset = TSV.find("KRAS").unwrap();
    assert_eq!(rejected[0].offset, Some(offset as u64));
    assert_eq!(rejected[0].bytes.as_deref(), Some(&b"KRAS\t3845\t3\tx"[..]));
}

#[test]
fn names_that_stand_twice_and_sizes_that_are_wrong_are_told() {
    let text = "#1.2\n9\t3\nName\tDescription\tS1\tS1\nTP53\tx\t1\t2\nTP53\tx\t3\t4\n";
    let expected = pairs(&[
        ("expression.gene.unique", "line 5, column 1"),
        ("expression.sample.unique", "line 3, column 4"),
        ("expression.size.rows", "line 2"),
        ("expression.size.columns", "line 2"),
    ]);
    assert_eq!(faults(text), expected);
    let (entries, _) = taken(text);
    assert_eq!((entries.len(), entries[0].findings.len()), (3, 4));
    assert_ne!(entries[1].key, entries[2].key);
    for text in ["", "#1.2\n", "#1.2\nx\ty\n", "#1.3\n1\t1\nid\tS\n", "gene\n"] {
        assert_eq!(faults(text)[0].0, "expression.header", "{text:?}");
        assert_eq!(taken(text).1.len(), 1, "{text:?}");
    }
}

#[test]
fn more_genes_than_one_entry_holds_are_several_and_nothing_is_lost() {
    let mut text = String::from("gene\tS1\tS2\n");
    let genes = (1 << 16) + 10;
    for gene in 0..genes {
        text.push_str(&format!("G{gene}\t{gene}\t-{gene}\n"));
    }
    let (entries, rejected) = taken(&text);
    assert!(rejected.is_empty());
    let places: Vec<_> = entries.iter().map(|e| (e.place.as_str(), e.events())).collect();
    let first = 1 << 16;
    let expected = [
        ("", 0),
        ("column 2, genes 1-65536", first),
        ("column 3, genes 1-65536", first),
        ("column 2, genes 65537-65546", 10),
        ("column 3, genes 65537-65546", 10),
    ];
    assert_eq!(places, expected);
    assert_eq!(values(&entries[4])[9], ("SYMBOL|G65545", Some(-65545.0)));
}

#[test]
fn more_values_than_fit_are_read_in_several_passes() {
    // 40 genes allow 209,715 samples at once.
    let samples = 209_720;
    let mut text = String::from("gene");
    (0..samples).for_each(|s| text.push_str(&format!("\tS{s}")));
    for gene in 0..40 {
        text.push_str(&format!("\nG{gene}"));
        (0..samples).for_each(|s| text.push_str(if s == samples - 1 { "\t7" } else { "\tNA" }));
    }
    let (entries, _) = taken(&text);
    assert_eq!(entries.len(), samples + 1);
    assert_eq!(entries[samples].place, format!("column {}, genes 1-40", samples + 1));
    assert_eq!(values(&entries[samples])[39], ("SYMBOL|G39", Some(7.0)));
    assert_eq!(entries.iter().map(Entry::events).sum::<usize>(), 40);
}

#[test]
fn only_what_is_unmistakable_is_recognised() {
    for text in [
        GCT2,
        GCT3,
        "gene\tS1\tS2\nTP53\t1\t2\n",
        "\"gene_id\"\t\"S1\"\n\"ENSG00000141510\"\t1e-3\n",
        "\tS1\nENSG00000000003.15\t1\nENSG00000000005.6\t0\n",
        "\tS1\tS2\nA1BG\t1\t2\nA1CF\t1\tNA\n",
        "Hugo_Symbol\tEntrez_Gene_Id\tS1\nTP53\t7157\t1\n",
    ] {
        assert!(recognises(text.as_bytes(), "m.tsv"), "{text}");
    }
    for text in [
        "\tT cells\tNK\nT001\t1\t2\nT002\t1\t2\n",
        "patient\tTP53\tKRAS\nP1\t0\t1\n",
        "gene\tlogFC\tFDR\nTP53\t1\t0.01\n",
        "gene\tdrug\nTP53\tnone\n",
        "gene\tS1\n",
        "gene\tS1\tS2\nTP53\t1\n",
        "#1.25\n",
        "a,b\n1,2\n",
        TSV,
    ] {
        assert!(!recognises(text.as_bytes(), "m.tsv"), "{text}");
    }
    // A head may end within a line.
    let cut = "gene\tS1\tS2\nTP53\t1\t2\nKRAS\t3";
    assert!(recognises(cut.as_bytes(), "m.tsv"));
}
