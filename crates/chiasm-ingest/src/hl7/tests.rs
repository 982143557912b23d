use super::*;
use crate::feed::{AssetBytes, LinkKind};
use chiasm_linkage::{IdentifierKind, Sex};
use chiasm_record::{Event, Precision};

fn one(text: &str) -> Entry {
    message(text.replace('\n', "\r").as_bytes(), &Feed::new("site", "Europe/Berlin").unwrap()).unwrap()
}

/// The events beside the message's own.
fn events(entry: &Entry) -> &[Event] {
    &entry.subjects[0].events[1..]
}

const ORU: &str = "MSH|^~\\&|LIS|HOSP|||202403051200+0100||ORU^R01^ORU_R01|77|P|2.5.1
PID|1||4711^^^HOSP^MR~123456789^^^SSA^SS||Muster^Anna^Maria B||19630514|F|||Weg 1&Weg&1^^Bonn^^53111^DE||^^PH^^49^228^12345
PV1|1|I|W2^12^B^HOSP||||||||||||||||V9
ORC|RE|P1|F1
OBR|1|P1|F1|24323-8^Metabolic panel^LN|||202403050810|||||||202403050830||||||||202403051130||CH|F
OBX|1|NM|GLU^Glucose^L^2345-7^Glucose^LN||99.5|mg/dL^^UCUM|70-105|N|||F|||202403050815
NTE|1||fasting~since noon
OBX|2|SN|2160-0^Creatinine^LN||<^0.5|mg/dL|||||F
OBX|3|NM|718-7^Hb^LN||12,5|g/dL|||||P
OBX|4|CWE|883-9^ABO^LN||A^Group A^L~B^Group B^L||||||C
OBX|5|NM|2823-3^K^LN||4.1|mmol/L|||||W
OBX|6|ST|5778-6^Color^LN||yellow \\T\\ clear||||||F
SPM|1|S1&LIS^S2&LIS||SER^Serum^HL70487|||||||||||||202403050805";

#[test]
fn results_have_times_values_and_what_belongs_to_them() {
    let entry = one(ORU);
    let all = events(&entry);
    assert_eq!(all.len(), 6);
    let glucose = &all[0];
    assert_eq!(glucose.code.as_str(), "LOINC|2345-7");
    assert_eq!((glucose.value, glucose.unit.as_deref()), (Some(99.5), Some("mg/dL")));
    assert_eq!((glucose.encounter.as_deref(), glucose.specimen.as_deref()), (Some("V9"), Some("S2")));
    assert_eq!(glucose.modality.as_str(), "labs");
    let told =
        ["code_alternate", "name", "note", "panel", "status", "reference_range", "filler", "specimen_type"];
    assert_eq!(
        told.map(|n| glucose.attribute(n).unwrap()),
        ["HOSP|GLU", "Glucose", "fasting\nsince noon", "LOINC|24323-8", "F", "70-105", "F1", "Serum"]
    );
    // 08:15, 11:30 and 12:00 in Berlin, an hour before that in Greenwich.
    let at = |h: i64, m: i64| 1_709_596_800_000_000 + ((h * 60 + m) * 60) * 1_000_000;
    let times = glucose.times;
    assert_eq!(times.happened.unwrap().start(), at(7, 15));
    assert_eq!(times.happened.unwrap().precision(), Precision::Minute);
    assert_eq!(times.known.unwrap().start(), at(10, 30));
    assert_eq!(times.recorded.unwrap().start(), at(11, 0));
    // Without a time of its own, a result has that of the order.
    assert_eq!(all[1].times.happened.unwrap().start(), at(7, 10));
}

#[test]
fn values_are_what_their_type_says() {
    let entry = one(ORU);
    let all = events(&entry);
    assert_eq!((all[1].value, all[1].attribute("comparator")), (Some(0.5), Some("<")));
    // "12,5" is no number: it stays text, and a doubt says so.
    assert_eq!((all[2].value, all[2].text.as_deref()), (None, Some("12,5")));
    assert!(entry.findings.iter().any(|f| f.place.ends_with("OBX-5")));
    assert_eq!(all[3].text.as_deref(), Some("Group A; Group B"));
    assert_eq!(all[3].attributes.iter().filter(|(n, _)| *n == "value_code").count(), 2);
    assert_eq!((all[3].attribute("value_code"), all[3].attribute("status")), (Some("HOSP|A"), Some("C")));
    assert_eq!((all[4].value, all[4].attribute("withdrawn")), (None, Some("4.1")));
    assert_eq!(all[5].text.as_deref(), Some("yellow & clear"));
}

#[test]
fn a_person_is_read_from_pid() {
    let entry = one(ORU);
    let person = entry.subjects[0].identity.clone().unwrap();
    let key = person.key().unwrap();
    assert_eq!((key.authority.as_str(), key.value.as_str()), ("HOSP", "4711"));
    assert_eq!(key.kind, IdentifierKind::MedicalRecord);
    assert_eq!(person.identifiers[1].kind, IdentifierKind::National);
    assert_eq!(person.names[0].given, ["Anna", "Maria", "B"]);
    assert_eq!(person.names[0].family.as_deref(), Some("Muster"));
    assert_eq!((person.birth.unwrap().year, person.birth.unwrap().day), (1963, Some(14)));
    assert_eq!(person.sex, Some(Sex::Female));
    assert_eq!(person.addresses[0].postcode.as_deref(), Some("53111"));
    assert_eq!(person.phones, ["49 228 12345"]);
    // Nobody's name is in what the events keep of the message.
    let kept = entry.subjects[0].events[0].attribute("hl7").unwrap();
    assert!(kept.starts_with("MSH|") && kept.contains("OBX|6") && !kept.contains("Muster"));
}

#[test]
fn lines_of_text_become_one_report() {
    let entry = one("MSH|^~\\&|RIS|HOSP|||20240305120000||ORU^R01|1|P|2.3
PID|||1||A^B
OBR|1||ACC1|71020^CHEST^CPT|||20240305|||||||||||A99||||20240305115900||RAD|F
OBX|1|TX|71020&GDT^CHEST^CPT|1|Lungs clear.||||||F
OBX|2|TX|71020&GDT^CHEST^CPT|1|||||||F
OBX|3|FT|71020&GDT^CHEST^CPT|2|No effusion.\\.br\\Heart normal.||||||F
OBX|4|TX|71020&IMP^CHEST^CPT|1|Normal.||||||F");
    let all = events(&entry);
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].text.as_deref(), Some("Lungs clear.\n\nNo effusion.\nHeart normal."));
    assert_eq!((all[0].modality.as_str(), all[0].attribute("accession")), ("notes", Some("A99")));
    assert_eq!(all[1].text.as_deref(), Some("Normal."));
}

#[test]
fn embedded_documents_are_assets() {
    let entry = one("MSH|^~\\&|DOC|HOSP|||20240305120000||MDM^T02|1|P|2.5
EVN|T02|20240305120000
PID|||1^^^H^MR
PV1|1|O
TXA|1|DS^Discharge summary|TX|20240304|||202403050900|||||D7||||||LA
OBX|1|ED|^Summary||^application^pdf^Base64^JVBERi0xLjQK||||||F
OBX|2|TX|^Text||First line.||||||F
OBX|3|TX|^Text||Second line.||||||F");
    let all = events(&entry);
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].asset, Some(entry.assets[0].id));
    assert_eq!(entry.assets[0].media_type, "application/pdf");
    let AssetBytes::Memory(bytes) = &entry.assets[0].bytes else { panic!("a file") };
    assert_eq!(&bytes[..], b"%PDF-1.4\n");
    assert_eq!(
        (all[1].text.as_deref(), all[1].attribute("document")),
        (Some("First line.\nSecond line."), Some("D7"))
    );
    assert_eq!(all[1].modality.as_str(), "notes");
    assert_eq!(all[1].times.happened.unwrap().precision(), Precision::Day);
}

#[test]
fn merges_and_links_are_said_by_identifiers() {
    let head = "MSH|^~\\&|ADT|HOSP|||20240305||ADT^";
    let merge = one(&format!(
        "{head}A40|1|P|2.4\nEVN|A40|20240305\nPID|||1^^^H^MR~9^^^G^MR||A^B\nMRG|2^^^H^MR~8^^^G^MR\nPID|||5^^^H^MR||C^D\nMRG|6"
    ));
    let said: Vec<_> = merge
        .links
        .iter()
        .map(|l| {
            (l.kind, format!("{}|{}>{}|{}", l.kept.authority, l.kept.value, l.other.authority, l.other.value))
        })
        .collect();
    let same = |t: &str| (LinkKind::Same, t.to_owned());
    // A number without an authority has that of the number that is kept.
    assert_eq!(said, [same("H|1>H|2"), same("G|9>G|8"), same("H|5>H|6")]);
    assert_eq!(merge.subjects.len(), 2);
    let unlink = one(&format!("{head}A37|1|P|2.4\nEVN|A37|20240305\nPID|||1^^^H^MR\nPID|||2^^^H^MR"));
    assert_eq!(unlink.links.len(), 1);
    assert_eq!((unlink.links[0].kind, unlink.links[0].other.value.as_str()), (LinkKind::Different, "2"));
    let accounts =
        one(&format!("{head}A35|1|P|2.3\nEVN|A35|20240305\nPID|||1|||||||||||||||AC1\nMRG|1||AC2"));
    assert_eq!(
        (accounts.links[0].kept.value.as_str(), accounts.links[0].other.value.as_str()),
        ("AC1", "AC2")
    );
}

#[test]
fn admissions_have_their_time_place_and_findings() {
    let entry = one("MSH|^~\\&|ADT|HOSP|||20240305120000||ADT^A03|1|P|2.5
EVN||20240305115500||||202403051130
PID|||1^^^H^MR||A^B||||||||||||||||||||||||20240305|Y
PV1|1|I|W2^12^B^HOSP|R||||||MED|||||||||V9|||||||||||||||||01||||||||202403011000|202403051130
DG1|1||I21.4^NSTEMI^I10C||20240301|F
DG1|2|I9|410.71|Old code||A
AL1|1|DA^Drug|70618^Penicillin^RXNORM|SV|Rash~Hives
PR1|1||92928^Stent^CPT||202403020900
OBX|1|NM|8867-4^Heart rate^LN||72|/min|||||F|||202403051000");
    let all = &entry.subjects[0].events;
    let codes: Vec<&str> = all.iter().map(|e| e.code.as_str()).collect();
    assert_eq!(
        codes,
        [
            "HL7|ADT^A03",
            "ICD10CM|I21.4",
            "ICD9CM|410.71",
            "RxNorm|70618",
            "CPT|92928",
            "LOINC|8867-4",
            "MEDS_DEATH"
        ]
    );
    let stay = &all[0];
    assert_eq!(stay.encounter.as_deref(), Some("V9"));
    assert_eq!(stay.attribute("location"), Some("HOSP W2 12 B"));
    assert_eq!((stay.attribute("class"), stay.attribute("discharge_disposition")), (Some("I"), Some("01")));
    assert_eq!(stay.times.happened.unwrap().precision(), Precision::Minute);
    assert!(stay.times.recorded.unwrap().start() > stay.times.happened.unwrap().start());
    assert_eq!(all[2].attribute("name"), Some("Old code"));
    assert_eq!(all[3].attribute("reaction"), Some("Rash; Hives"));
    assert_eq!(all[5].modality.as_str(), "vitals");
}

#[test]
fn orders_and_drugs_are_events() {
    let order = one("MSH|^~\\&|CPOE|HOSP|||20240305120000||OML^O21|1|P|2.5
PID|||1^^^H^MR
ORC|NW|P7||G1|||||202403051159
OBR|1|P7||58410-2^CBC^LN|S
NTE|1||call ward
ORC|NW|P8
OBR|2|P8||2345-7^Glucose^LN");
    let all = events(&order);
    assert_eq!(all.len(), 2);
    assert_eq!((all[0].code.as_str(), all[0].attribute("placer")), ("LOINC|58410-2", Some("P7")));
    assert_eq!(
        (all[0].attribute("note"), all[0].attribute("order_control")),
        (Some("call ward"), Some("NW"))
    );
    assert!(all[0].times.happened.is_some());
    let shot = one("MSH|^~\\&|IIS|HOSP|||20240305120000||VXU^V04|1|P|2.5.1
PID|||1^^^H^MR
ORC|RE||65930
RXA|0|1|20240304||08^Hep B^CVX|0.5|mL^^UCUM||||||||||||CP
RXR|IM^Intramuscular^HL70162");
    let given = &events(&shot)[0];
    assert_eq!((given.code.as_str(), given.value, given.unit.as_deref()), ("CVX|08", Some(0.5), Some("mL")));
    assert_eq!((given.attribute("route"), given.attribute("filler")), (Some("Intramuscular"), Some("65930")));
}

#[test]
fn several_people_in_a_message_stay_apart() {
    let entry = one("MSH|^~\\&|LIS|HOSP|||20240305||ORU^R01|1|P|2.5
PID|||1^^^H^MR
OBR|1|||X^X^L
OBX|1|NM|A^A^L||1||||||F
PID|||2^^^H^MR
OBR|1|||X^X^L
OBX|1|NM|B^B^L||2||||||F");
    let codes = |m: usize| entry.subjects[m].events.iter().map(|e| e.code.as_str()).collect::<Vec<_>>();
    assert_eq!((codes(0), codes(1)), (vec!["HL7|ORU^R01", "HOSP|A"], vec!["HL7|ORU^R01", "HOSP|B"]));
    assert!(!entry.subjects[0].events[0].attribute("hl7").unwrap().contains("|B^B^L|"));
}

#[test]
fn the_zone_of_the_message_holds_for_its_times() {
    let at = |sent: &str| {
        let text = format!(
            "MSH|^~\\&|L|H|||{sent}||ORU^R01|1|P|2.5\nPID|||1\nOBR|1|||X\nOBX|1|NM|A||1||||||F|||20240701120000"
        );
        events(&one(&text))[0].times.happened.unwrap()
    };
    // The site's own offset in winter says nothing of July; a foreign one holds throughout.
    assert_eq!(at("20240105120000+0100").offset(), Some(7200));
    assert_eq!(at("20240105120000-0500").offset(), Some(-18000));
}

#[test]
fn streams_are_cut_into_messages() {
    let m = |id: u8, end: &str| {
        format!("MSH|^~\\&|A|H|||20240101||ADT^A08|{id}|P|2.5{end}EVN||2024{end}PID|||{id}{end}")
    };
    let files = [
        m(1, "\r") + &m(2, "\r"),
        m(1, "\r\n") + "\r\n" + &m(2, "\n"),
        format!("\x0b{}\x1c\r\x0b{}\x1c\r", m(1, "\r"), m(2, "\r")),
        format!("\u{feff}FHS|^~\\&|A\rBHS|^~\\&|A\r{}{}BTS|2\rFTS|1\r", m(1, "\r"), m(2, "\r")),
    ];
    let mut keys = Vec::new();
    for file in files {
        let mut found = (Vec::new(), Vec::new());
        assert!(recognises(file.as_bytes(), "x.hl7"));
        read(&Source::memory("f", file), &Feed::utc("s"), &mut found).unwrap();
        assert_eq!((found.0.len(), found.1.len()), (2, 0));
        assert_eq!((found.0[1].place.as_str(), found.0[1].subjects.len()), ("message 2", 1));
        keys.push([found.0[0].key, found.0[1].key]);
    }
    // How lines end and what stands around a message does not make it another.
    assert!(keys.iter().all(|k| *k == keys[0]) && keys[0][0] != keys[0][1]);
}

#[test]
fn a_bad_message_does_not_stop_the_next() {
    let file = "junk\rMSH|^~\\&|A|H|||2024||ADT^A08|1|P|2.5\rEVN||2024\rPID|||\r\
                MSH|^^\\&|A\rMSH|^~\\&|A|H|||2024||ADT^A08|2|P|2.5\rEVN||2024\rPID|||7\rZXX|any\r";
    let mut found = (Vec::new(), Vec::new());
    read(&Source::memory("f", file), &Feed::utc("s"), &mut found).unwrap();
    let rules: Vec<(&str, u64)> = found.1.iter().map(|r| (r.rule.as_str(), r.offset.unwrap())).collect();
    let second = file.find("MSH|^^").unwrap() as u64;
    assert_eq!(rules, [("hl7.msh", 0), ("hl7.pid", 5), ("hl7.delimiters", second)]);
    assert_eq!(found.0.len(), 1);
    assert!(found.0[0].subjects[0].events[0].attribute("hl7").unwrap().ends_with("ZXX|any"));
}

#[test]
fn text_with_line_breaks_of_its_own_stays_whole() {
    let entry = one("MSH|^~\\&|A|H|||2024||ORU^R01|1|P|2.5\nPID|||1\nOBR|1|||X^X^L\nOBX|1|TX|N^Note^L||one
  two, AND three
OK?||||||F");
    assert_eq!(events(&entry)[0].text.as_deref(), Some("one\n  two, AND three\nOK?"));
}

#[test]
fn checks_tell_what_breaks_the_standard() {
    let good = check(&Source::memory("f", ORU.replace('\n', "\r").replace("12,5", "12.5"))).unwrap();
    assert!(good.is_valid(), "{:?}", good.faults);
    assert_eq!(good.version.as_deref(), Some("2.5.1"));
    let bad = "MSH|^~\\&|A|H|||2024030||ORU^R01||P|3.0\rPID|||||A^B||19631332\r\
               OBX|1|NM|||12,5||||||Q\rQQQ|1\rOBX|2||X||1||||||F\r";
    let found = check(&Source::memory("f", bad)).unwrap();
    let told: Vec<(&str, &str)> = found.faults.iter().map(|f| (f.rule.as_str(), f.place.as_str())).collect();
    for expected in [
        ("hl7.version", "message 1, MSH-12"),
        ("hl7.type", "message 1, MSH-7"),
        ("hl7.required", "message 1, MSH-10"),
        ("hl7.required", "message 1, PID-3"),
        ("hl7.type", "message 1, PID-7"),
        ("hl7.required", "message 1, OBX-3"),
        ("hl7.table", "message 1, OBX-11"),
        ("hl7.type", "message 1, OBX-5"),
        ("hl7.segment", "message 1, QQQ"),
        ("hl7.required", "message 1, OBX[2]-2"),
        ("hl7.order", "message 1"),
        ("hl7.required", "message 1"),
    ] {
        assert!(told.contains(&expected), "{expected:?} not in {told:?}");
    }
    assert!(found.faults.iter().all(|f| !f.message.contains("12,5") && !f.message.contains("1963")));
    let batch =
        check(&Source::memory("f", "BHS|^~\\&|A\rMSH|^~\\&|A|H|||2024||ACK|1|P|2.5\rMSA|AA|1\rBTS|3\r"));
    assert_eq!(batch.unwrap().faults[0].rule, "hl7.batch");
    assert!(matches!(check(&Source::memory("f", "")), Err(Error::WrongFormat { .. })));
}
