//! Who is who in a store: orders, wrong patients, clocks, decisions and their undoing.

use crate::toy::{Toy, succeeds};
use serde_json::Value;
use std::fmt::Write;

fn json(toy: &Toy, arguments: &[&str]) -> Value {
    let text = succeeds(&toy.chiasm(&[arguments, &["--json"]].concat()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn ask(toy: &Toy, sql: &str) -> Vec<Value> {
    json(toy, &["query", "--store", "s", sql]).as_array().unwrap().clone()
}

fn ingested(toy: &Toy) {
    succeeds(&toy.chiasm(&["ingest", "export", "--site", "plain", "--store", "s"]));
}

/// A message of a hospital's system, as `facility` sends it.
fn message(facility: &str, kind: &str, control: &str, body: &str) -> String {
    format!("MSH|^~\\&|APP|{facility}|X|Y|20240501120000||{kind}|{control}|P|2.5.1\r{body}")
}

fn pid(number: &str, authority: &str, name: &str, birth: &str, sex: &str) -> String {
    format!("PID|1||{number}^^^{authority}^MR||{name}||{birth}|{sex}\r")
}

/// An order of an X-ray.
fn order(person: &str, accession: &str, day: &str) -> String {
    let body = format!(
        "{person}PV1|1|O\rORC|NW|{accession}^EHR|||||||{day}100000\r\
         OBR|1|{accession}^EHR||36643-5^XR Chest^LN||||||||||||||{accession}||||||CR\r"
    );
    message("EHR", "ORM^O01^ORM_O01", &format!("O{accession}"), &body)
}

/// A DICOM file, explicit little endian, with the elements in the order of their tags.
fn dicom(elements: &[(u32, &str, &str)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (tag, vr, value) in elements {
        let mut value = value.as_bytes().to_vec();
        if value.len() % 2 == 1 {
            value.push(if *vr == "UI" { 0 } else { b' ' });
        }
        body.extend(((tag >> 16) as u16).to_le_bytes());
        body.extend((*tag as u16).to_le_bytes());
        body.extend(vr.as_bytes());
        body.extend((value.len() as u16).to_le_bytes());
        body.extend(value);
    }
    let mut file = vec![0; 128];
    file.extend(b"DICM");
    let syntax = b"1.2.840.10008.1.2.1\0";
    file.extend([2, 0, 0x10, 0]);
    file.extend(b"UI");
    file.extend((syntax.len() as u16).to_le_bytes());
    file.extend(syntax);
    file.extend(body);
    file
}

/// A film: who it shows, the number of its order, the day.
fn film(number: u32, accession: &str, day: &str, patient: &[(u32, &'static str, &str)]) -> Vec<u8> {
    let (uid, study) = (format!("1.2.3.{number}.1"), format!("1.2.3.{number}"));
    let mut all: Vec<(u32, &str, &str)> = vec![
        (0x0008_0016, "UI", "1.2.840.10008.5.1.4.1.1.1"),
        (0x0008_0018, "UI", &uid),
        (0x0008_0020, "DA", day),
        (0x0008_0022, "DA", day),
        (0x0008_0030, "TM", "110000"),
        (0x0008_0032, "TM", "110000"),
        (0x0008_0050, "SH", accession),
        (0x0008_0060, "CS", "CR"),
        (0x0020_000d, "UI", &study),
    ];
    all.extend(patient);
    all.sort_by_key(|(tag, ..)| *tag);
    dicom(&all)
}

const NAME: u32 = 0x0010_0010;
const ID: u32 = 0x0010_0020;
const ISSUER: u32 = 0x0010_0021;
const BIRTH: u32 = 0x0010_0030;
const SEX: u32 = 0x0010_0040;
const AGE: u32 = 0x0010_1010;

/// Forty people whom the EHR knows, and a film of some of them under numbers of the PACS.
fn hospital() -> Toy {
    let toy = Toy::new();
    let given = ["ada", "mary", "grace", "rosa", "emmy", "sofia", "marie", "lise"];
    let family = ["byron", "hopper", "franklin", "noether", "curie"];
    let mut messages = String::new();
    for i in 0..40_usize {
        let name = format!("{}^{}", family[i / 8], given[i % 8]);
        let birth = format!("19{:02}{:02}{:02}", 30 + i, 1 + i % 12, 1 + i * 7 % 28);
        let person = pid(&format!("E{i:04}"), "EHR", &name, &birth, if i % 2 == 0 { "F" } else { "M" });
        let body = format!("EVN|A04|20240501\r{person}PV1|1|O\r");
        messages += &message("EHR", "ADT^A04^ADT_A01", &format!("A{i}"), &body);
        messages += &order(&person, &format!("R{i:06}"), "20240501");
    }
    toy.write("export/ehr.hl7", messages);
    let pacs = (ISSUER, "LO", "PACS");
    // Film 0: a name and no more; 1: somebody else's number was typed; 2: of another age; 3: before its order.
    let of = |n: u32, accession: &str, day: &str, patient: &[(u32, &'static str, &str)]| {
        toy.write(&format!("export/{n}.dcm"), film(n, accession, day, &[patient, &[pacs]].concat()));
    };
    of(0, "R000000", "20240502", &[(ID, "LO", "P0"), (NAME, "PN", "BYRON^A")]);
    of(
        1,
        "R000001",
        "20240502",
        &[(ID, "LO", "P1"), (NAME, "PN", "BABBAGE^CHARLES"), (BIRTH, "DA", "19901226")],
    );
    of(2, "R000002", "20240502", &[(ID, "LO", "P2"), (AGE, "AS", "017Y")]);
    of(3, "R000003", "20240302", &[(ID, "LO", "P3")]);
    // Film 4 says nothing of its patient, film 6 the sex.
    of(4, "R000004", "20240502", &[(ID, "LO", "P4")]);
    of(6, "R000006", "20240502", &[(ID, "LO", "P6"), (SEX, "CS", "F")]);
    // Film 5 is of number 5 by name and birth, has no order, and shows the other sex.
    let born = (BIRTH, "DA", "19350608");
    of(5, "", "20240502", &[(ID, "LO", "P5"), (NAME, "PN", "BYRON^SOFIA"), born, (SEX, "CS", "F")]);
    toy
}

/// The record of the EHR's number, by its order, and of the film, by its study.
fn pair_of(toy: &Toy, film: u32) -> (i64, i64) {
    let record = |condition: String| {
        let rows = ask(toy, &format!("SELECT DISTINCT record_id AS r FROM events WHERE {condition}"));
        assert_eq!(rows.len(), 1, "{condition}");
        rows[0]["r"].as_i64().unwrap()
    };
    (
        record(format!("attributes LIKE '%R{film:06}%' AND modality = 'orders'")),
        record(format!("attributes LIKE '%\"1.2.3.{film}\"%'")),
    )
}

fn patient(toy: &Toy, record: i64) -> i64 {
    let rows = ask(toy, &format!("SELECT DISTINCT subject_id AS s FROM events WHERE record_id = {record}"));
    rows[0]["s"].as_i64().unwrap()
}

fn reason(toy: &Toy, one: i64, other: i64) -> String {
    let sql = format!(
        "SELECT state, reason FROM pairs WHERE record_l IN ({one}, {other}) AND record_r IN ({one}, {other})"
    );
    let rows = ask(toy, &sql);
    rows.first()
        .map_or_else(String::new, |row| format!("{} {}", row["state"], row["reason"]).replace('"', ""))
}

#[test]
fn a_picture_is_linked_by_its_order_unless_it_shows_another_patient() {
    let toy = hospital();
    ingested(&toy);
    let done = json(&toy, &["link", "--store", "s"]);
    assert_eq!((&done["records"], &done["ordered"]), (&47.into(), &6.into()), "{done}");
    for film in [0, 6] {
        let (ehr, pacs) = pair_of(&toy, film);
        assert_eq!(patient(&toy, ehr), patient(&toy, pacs), "film {film}: {}", reason(&toy, ehr, pacs));
        let why = succeeds(&toy.chiasm(&[
            "link",
            "--store",
            "s",
            "--why",
            &ehr.to_string(),
            &pacs.to_string(),
            "--svg",
            "why.svg",
        ]));
        assert!(why.contains("order number: same") && why.contains("linked"), "{why}");
        assert!(toy.read("why.svg").contains("order number"));
    }
    let expected =
        [(1, "number_against_fields"), (2, "wrong_patient"), (3, "wrong_patient"), (4, "order_alone")];
    for (film, because) in expected {
        let (ehr, pacs) = pair_of(&toy, film);
        assert_ne!(patient(&toy, ehr), patient(&toy, pacs), "film {film}");
        let found = reason(&toy, ehr, pacs);
        assert!(
            found == format!("review {because}") || film == 1 && found == "review wrong_patient",
            "{film}: {found}"
        );
    }
    // A deterministic or likely link is held against the header just so.
    let ehr = ask(
        &toy,
        "SELECT DISTINCT record_id AS r FROM events WHERE attributes LIKE '%R000005%' AND modality = 'orders'",
    );
    let (ehr, pacs) = (ehr[0]["r"].as_i64().unwrap(), {
        let rows =
            ask(&toy, "SELECT DISTINCT record_id AS r FROM events WHERE attributes LIKE '%\"1.2.3.5\"%'");
        rows[0]["r"].as_i64().unwrap()
    });
    assert_ne!(patient(&toy, ehr), patient(&toy, pacs));
    assert_eq!(reason(&toy, ehr, pacs), "review wrong_patient");
    let review = succeeds(&toy.chiasm(&["link", "--store", "s", "--review"]));
    assert!(review.contains("the age in the file does not fit") && review.contains("against"), "{review}");
    assert!(review.contains("order number: same") && !review.to_lowercase().contains("byron"), "{review}");
    let (ehr, pacs) = pair_of(&toy, 2);
    let why = succeeds(&toy.chiasm(&["link", "--store", "s", "--why", &pacs.to_string(), &ehr.to_string()]));
    assert!(why.contains("against: the age in the file"), "{why}");
}

/// The files of the tables that linking writes: they are named by what is in them.
fn links(toy: &Toy) -> Vec<String> {
    let newest = std::fs::read_dir(toy.path("s/manifest")).unwrap().map(|e| e.unwrap().path()).max().unwrap();
    let manifest: Value = serde_json::from_slice(&std::fs::read(newest).unwrap()).unwrap();
    let parts = manifest["parts"].as_array().unwrap().iter();
    let wanted = parts.filter(|p| p["table"] == "links" || p["table"] == "pairs" || p["table"] == "clocks");
    wanted.map(|p| p["file"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_decision_taken_back_leaves_the_very_same_bytes_and_one_that_stands_survives_new_data() {
    let toy = hospital();
    ingested(&toy);
    succeeds(&toy.chiasm(&["link", "--store", "s"]));
    let before = links(&toy);
    let (ehr, pacs) = pair_of(&toy, 2);
    let two = [ehr.to_string(), pacs.to_string()];
    let say = |word: &str| succeeds(&toy.chiasm(&["link", "--store", "s", word, &two[0], &two[1]]));
    say("--same");
    assert_eq!(patient(&toy, ehr), patient(&toy, pacs));
    assert_ne!(links(&toy), before);
    say("--undo");
    assert_eq!(links(&toy), before);
    let nothing = toy.chiasm(&["link", "--store", "s", "--undo", &two[0], &two[1]]);
    toy.refused(&nothing, &["no person's decision"]);

    // A link that stands is taken apart, and put back.
    let (ehr0, pacs0) = pair_of(&toy, 0);
    let zero = [ehr0.to_string(), pacs0.to_string()];
    succeeds(&toy.chiasm(&["link", "--store", "s", "--different", &zero[0], &zero[1]]));
    assert_ne!(patient(&toy, ehr0), patient(&toy, pacs0));
    succeeds(&toy.chiasm(&["link", "--store", "s", "--undo", &zero[0], &zero[1]]));
    assert_eq!(links(&toy), before);

    // Decisions hold when more comes and all is linked anew.
    say("--same");
    succeeds(&toy.chiasm(&["link", "--store", "s", "--different", &zero[0], &zero[1]]));
    let more = pid("E9999", "EHR", "meitner^lise", "18781107", "F");
    toy.write("export/more.hl7", order(&more, "R009999", "20240601"));
    ingested(&toy);
    let done = json(&toy, &["link", "--store", "s"]);
    assert_eq!((&done["records"], &done["decisions"]), (&48.into(), &2.into()), "{done}");
    assert_eq!(patient(&toy, ehr), patient(&toy, pacs));
    assert_ne!(patient(&toy, ehr0), patient(&toy, pacs0));
}

#[test]
fn a_merge_message_counts_until_it_is_taken_back_and_a_person_outranks_it() {
    let toy = hospital();
    ingested(&toy);
    succeeds(&toy.chiasm(&["link", "--store", "s"]));
    let record = |n: u32| {
        let sql = format!(
            "SELECT DISTINCT record_id AS r FROM events WHERE attributes LIKE '%R{n:06}%' AND modality = 'orders'"
        );
        ask(&toy, &sql)[0]["r"].as_i64().unwrap()
    };
    let (one, other) = (record(20), record(30));
    assert_ne!(patient(&toy, one), patient(&toy, other));
    let kept = pid("E0020", "EHR", "franklin^emmy", "", "F");
    let merge = format!("EVN|A40|20240601\r{kept}MRG|E0030^^^EHR^MR\r");
    toy.write("export/merge.hl7", message("EHR", "ADT^A40^ADT_A39", "M1", &merge));
    ingested(&toy);
    assert_eq!(json(&toy, &["link", "--store", "s"])["decisions"], 1);
    assert_eq!(patient(&toy, one), patient(&toy, other));
    let gone = pid("E0030", "EHR", "noether^marie", "", "F");
    let unlink = format!("EVN|A37|20240602\r{kept}PV1|1|N\r{gone}PV1|1|N\r");
    toy.write("export/unlink.hl7", message("EHR", "ADT^A37^ADT_A37", "M2", &unlink));
    ingested(&toy);
    succeeds(&toy.chiasm(&["link", "--store", "s"]));
    assert_ne!(patient(&toy, one), patient(&toy, other));
    succeeds(&toy.chiasm(&["link", "--store", "s", "--same", &one.to_string(), &other.to_string()]));
    assert_eq!(patient(&toy, one), patient(&toy, other));
    // The same message again changes nothing.
    toy.write("export/again.hl7", message("EHR", "ADT^A37^ADT_A37", "M2", &unlink));
    ingested(&toy);
    succeeds(&toy.chiasm(&["link", "--store", "s"]));
    assert_eq!(patient(&toy, one), patient(&toy, other));
}

#[test]
fn a_merge_of_two_people_and_a_number_given_out_again_are_for_a_person_to_decide() {
    let toy = hospital();
    // E0021 is a man and E0030 a woman of other name and birth; number E0001 is given to a second person.
    let kept = pid("E0021", "EHR", "franklin^sofia", "", "M");
    let merge = format!("EVN|A40|20240601\r{kept}MRG|E0030^^^EHR^MR\r");
    toy.write("export/merge.hl7", message("EHR", "ADT^A40^ADT_A39", "M1", &merge));
    let again = pid("E0001", "EHR", "babbage^charles", "19911226", "F");
    toy.write("export/again.hl7", order(&again, "R009999", "20240601"));
    ingested(&toy);
    let done = json(&toy, &["link", "--store", "s"]);
    assert_eq!((&done["decisions"], &done["reused"]), (&1.into(), &1.into()), "{done}");
    let all = json(&toy, &["link", "--store", "s", "--review"]);
    let of = |reason: &str| -> Vec<Value> {
        all.as_array().unwrap().iter().filter(|entry| entry["reason"] == reason).cloned().collect()
    };
    let merges = of("merge_against_fields");
    assert_eq!((merges.len(), &merges[0]["kind"]), (1, &"pair".into()), "{all}");
    let (one, other) = (merges[0]["records"][0].to_string(), merges[0]["records"][1].to_string());
    let own: Vec<Value> = of("reused_number").into_iter().filter(|entry| entry["kind"] == "record").collect();
    assert_eq!((own.len(), own[0]["records"].as_array().unwrap().len()), (1, 1), "{all}");
    assert!(own[0]["against"][0].as_str().unwrap().contains("two people"), "{all}");
    let listed = succeeds(&toy.chiasm(&["link", "--store", "s", "--review"]));
    assert!(listed.contains("by itself  reused_number"), "{listed}");
    // A person may say that the message was right.
    succeeds(&toy.chiasm(&["link", "--store", "s", "--same", &one, &other]));
    assert_eq!(patient(&toy, one.parse().unwrap()), patient(&toy, other.parse().unwrap()));
}

/// A result of a laboratory or ward under its own number.
fn result(system: &str, person: &str, numbers: &str) -> String {
    let body = format!(
        "{person}ORC|RE|{numbers}\rOBR|1|{numbers}|GLU^Glucose^L|||20240501100000\r\
         OBX|1|NM|2345-7^Glucose^LN||5.1|mmol/L||||||F\r"
    );
    message(system, "ORU^R01^ORU_R01", &format!("{system}1"), &body)
}

#[test]
fn numbers_of_two_kinds_or_givers_are_two_orders() {
    for (numbers, joined) in [
        // The ward's own number against the laboratory's own; two wards'; the laboratory's told twice.
        (["100234^WARD|", "|100234^LAB"], 0),
        (["100234^WARD1|", "100234^WARD2|"], 0),
        (["100234|", "100234^WARD2|"], 1),
        (["7001^WARD1|100234^LAB", "|100234^LAB"], 1),
    ] {
        let toy = Toy::new();
        let (one, other) = (pid("1", "A", "byron^ada", "19800307", "F"), pid("2", "B", "byron^a", "", "F"));
        toy.write("export/one.hl7", result("ONE", &one, numbers[0]));
        toy.write("export/two.hl7", result("TWO", &other, numbers[1]));
        ingested(&toy);
        let done = json(&toy, &["link", "--store", "s"]);
        assert_eq!(done["ordered"], joined, "{numbers:?}: {done}");
    }
}

#[test]
fn a_site_says_that_its_accession_numbers_are_those_of_who_orders() {
    for (rule, joined) in [("", 0), ("accession_is_placer = true", 1)] {
        let toy = Toy::new();
        let person = pid("1", "A", "byron^ada", "19800307", "F");
        let body = format!("{person}ORC|NW|P100234^EHR\rOBR|1|P100234^EHR||36643-5^XR Chest^LN\r");
        toy.write("export/order.hl7", message("EHR", "ORM^O01^ORM_O01", "O1", &body));
        let patient = [(ID, "LO", "P0"), (NAME, "PN", "BYRON^A"), (ISSUER, "LO", "PACS")];
        toy.write("export/film.dcm", film(0, "P100234", "20240502", &patient));
        toy.write("site.toml", format!("name = \"here\"\n[ingest]\nzone = \"Europe/Berlin\"\n{rule}\n"));
        succeeds(&toy.chiasm(&["ingest", "export", "--site", "site.toml", "--store", "s"]));
        assert_eq!(json(&toy, &["link", "--store", "s"])["ordered"], joined, "{rule}");
    }
}

#[test]
fn a_clock_that_is_wrong_is_reported_and_no_time_is_changed() {
    let toy = Toy::new();
    let (mut lab, mut ehr) = (String::new(), String::new());
    for i in 0..24_u32 {
        let (number, hour, minute) = (format!("B{:08}", i * 7919), 6 + i % 12, i * 11 % 60);
        let person = pid(&format!("L{i}"), "LIS", "byron^ada", "19800307", "F");
        // The laboratory's clock is three minutes and 37 seconds ahead; one time is of another day.
        let seconds = (hour * 3_600 + minute * 60) + 217 + if i == 5 { 40_000 } else { 0 };
        let drawn = format!("20240501{:02}{:02}{:02}", seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
        let body = format!(
            "{person}ORC|RE|{number}^EHR|{number}^LIS\rOBR|1|{number}^EHR|{number}^LIS|LAB^Panel^L|||{drawn}||||||||||||||||||LAB|F\r\
             OBX|1|NM|718-7^Haemoglobin^LN||13.1|g/dL||||||F|||{drawn}\r"
        );
        lab += &message("LAB", "ORU^R01^ORU_R01", &format!("R{i}"), &body);
        writeln!(
            ehr,
            r#"{{"resourceType":"Specimen","id":"s{i}","accessionIdentifier":{{"value":"{number}"}},"subject":{{"reference":"Patient/p{i}"}},"collection":{{"collectedDateTime":"2024-05-01T{hour:02}:{minute:02}:00Z"}}}}"#
        )
        .unwrap();
    }
    toy.write("export/lab.hl7", lab);
    toy.write("export/specimens.ndjson", ehr);
    ingested(&toy);
    let times = || ask(&toy, "SELECT code, time FROM events ORDER BY code, time");
    let before = times();
    let done = json(&toy, &["link", "--store", "s"]);
    let clock = &done["clocks"][0];
    let ahead = clock["ahead_s"].as_f64().unwrap();
    let sign = if clock["system"].as_str().unwrap().contains("HL7 LAB") { 1.0 } else { -1.0 };
    assert_eq!((ahead * sign, clock["pairs"].as_u64()), (217.0, Some(24)), "{done}");
    let stored = ask(&toy, "SELECT ahead_s, low_s, high_s FROM clocks");
    assert_eq!(stored[0]["ahead_s"].as_f64(), Some(ahead));
    assert_eq!(times(), before);
    let words = succeeds(&toy.chiasm(&["link", "--store", "s"]));
    assert!(words.contains("clock: ") && words.contains("217 s"), "{words}");
    let someone = ask(&toy, "SELECT subject_id AS s FROM events LIMIT 1")[0]["s"].to_string();
    let shown = succeeds(&toy.chiasm(&["timeline", "--store", "s", "--patient", &someone]));
    assert!(shown.contains("times are as stamped") && shown.contains("217 s"), "{shown}");
}
