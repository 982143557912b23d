use super::*;
use crate::feed::{Entry, Feed, LinkKind, Rejected, Source};
use chiasm_linkage::{IdentifierKind, Sex};
use chiasm_record::Event;

fn all(text: impl Into<bytes::Bytes>) -> (Vec<Entry>, Vec<Rejected>) {
    let mut sink = (Vec::new(), Vec::new());
    read(&Source::memory("f.json", text), &Feed::utc("site"), &mut sink).unwrap();
    sink
}

fn one(text: &str) -> Entry {
    let (mut entries, rejected) = all(text.to_owned());
    assert_eq!((entries.len(), rejected.len()), (1, 0), "{rejected:?}");
    entries.remove(0)
}

fn events(text: &str) -> Vec<Event> {
    one(text).subjects.remove(0).events
}

const LAB: &str = r#"{"resourceType":"Observation","id":"o1","meta":{"lastUpdated":"2024-03-06T00:00:00Z"},
 "status":"final","subject":{"reference":"Patient/p1"},"encounter":{"reference":"Encounter/e1"},
 "category":[{"coding":[{"code":"laboratory"}]}],"effectiveDateTime":"2024-03-05T10:00:00Z",
 "issued":"2024-03-05T12:00:00Z","code":{"coding":[{"system":"http://lab.example","code":"GLU"},
 {"system":"http://loinc.org","code":"2345-7"}]},"valueQuantity":{"value":5.40,"comparator":"<","unit":"mmol per l",
 "system":"http://unitsofmeasure.org","code":"mmol/L"},"referenceRange":[{"low":{"value":3.9},"high":{"value":5.5}}]}"#;

#[test]
fn a_result_has_its_code_value_unit_and_three_times() {
    let entry = one(LAB);
    let identity = entry.subjects[0].identity.as_ref().unwrap();
    assert_eq!(
        (identity.identifiers[0].authority.as_str(), &*identity.identifiers[0].value),
        ("site/Patient", "p1")
    );
    let event = &entry.subjects[0].events[0];
    assert_eq!((event.code.as_str(), event.modality.as_str()), ("LOINC|2345-7", "labs"));
    assert_eq!((event.value, event.unit.as_deref()), (Some(5.4), Some("mmol/L")));
    assert_eq!(event.attribute("also"), Some("http://lab.example|GLU"));
    assert_eq!(event.attribute("comparator"), Some("<"));
    assert_eq!(event.attribute("reference_range"), Some("3.9..5.5"));
    assert_eq!(event.encounter.as_deref(), Some("e1"));
    assert!(event.attribute("fhir").unwrap().contains("5.40"));
    let times = event.times;
    assert!(times.happened < times.known && times.known < times.recorded);
}

#[test]
fn the_same_resource_has_the_same_key_however_it_is_sent() {
    let again = LAB.replace('\n', " ").replace("\"id\":\"o1\",", "").replacen('{', "{\"id\":\"o1\",", 1);
    assert_eq!(one(LAB).key, one(&again).key);
    assert_ne!(one(LAB).key, one(&LAB.replace("5.40", "5.4")).key);
    let bundle = format!(r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"resource":{LAB}}}]}}"#);
    assert!(all(bundle).0.iter().any(|e| e.key == one(LAB).key));
}

#[test]
fn components_are_events_of_their_own() {
    let text = r#"{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},
     "component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":120,"unit":"mmHg"}},
     {"code":{"text":"a|b  c"},"dataAbsentReason":{"coding":[{"code":"unknown"}]}}]}"#;
    let events = events(text);
    assert_eq!(events.len(), 3);
    assert_eq!((events[1].code.as_str(), events[1].value), ("LOINC|8480-6", Some(120.0)));
    assert_eq!(events[1].attribute("parent"), Some("LOINC|85354-9"));
    assert_eq!(events[1].modality.as_str(), "vitals");
    assert_eq!((events[2].code.as_str(), events[2].attribute("absent")), ("TEXT|a/b c", Some("unknown")));
}

#[test]
fn a_patient_is_an_identity_and_its_names_are_in_no_event() {
    let text = r#"{"resourceType":"Patient","id":"p1","identifier":[{"system":"urn:oid:1.2.3","value":"0042",
     "type":{"coding":[{"code":"MR"}]}},{"system":"http://hl7.org/fhir/sid/us-ssn","value":"9"}],
     "name":[{"use":"old","family":"Before"},{"use":"official","family":"Byron","given":["Ada","A"]}],
     "telecom":[{"system":"phone","value":"1"},{"system":"email","value":"a@b"}],"gender":"female",
     "birthDate":"1815-12","address":[{"line":["a","b"],"city":"London","postalCode":"X"}],
     "link":[{"type":"replaced-by","other":{"reference":"Patient/p2"}}]}"#;
    let entry = one(text);
    let who = entry.subjects[0].identity.as_ref().unwrap();
    assert_eq!(who.identifiers[1].authority, "1.2.3");
    assert_eq!(
        who.identifiers.iter().map(|i| i.kind).collect::<Vec<_>>(),
        [IdentifierKind::Source, IdentifierKind::MedicalRecord, IdentifierKind::National]
    );
    assert_eq!(who.names[0].family.as_deref(), Some("Byron"));
    assert_eq!(
        (who.sex, who.birth.map(|b| (b.year, b.month, b.day))),
        (Some(Sex::Female), Some((1815, Some(12), None)))
    );
    assert_eq!((who.phones.len(), who.emails.len()), (1, 1));
    assert_eq!(who.addresses[0].street.as_deref(), Some("a, b"));
    let link = &entry.links[0];
    assert_eq!((link.kind, &*link.kept.value, &*link.other.value), (LinkKind::Same, "p2", "p1"));
    let shown = format!("{:?}", entry.subjects[0].events);
    assert!(!shown.contains("Byron") && !shown.contains("0042"));
    assert!(shown.contains("MEDS_BIRTH") && shown.contains("fhir_asset"));
}

#[test]
fn references_in_a_bundle_lead_to_its_patient() {
    let text = r##"{"entry":[
      {"fullUrl":"urn:uuid:2","resource":{"resourceType":"Condition","code":{"text":"x"},"subject":{"reference":"urn:uuid:1"}}},
      {"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient","id":"p9"}},
      {"fullUrl":"https://h/fhir/Basic/3","resource":{"resourceType":"Basic","id":"3","subject":{"reference":"Patient/4"}}},
      {"resource":{"resourceType":"Basic","subject":{"identifier":{"system":"http://mrn","value":"7"}}}},
      {"resource":{"resourceType":"Basic","subject":{"reference":"#p"},"contained":[{"resourceType":"Patient","id":"p","gender":"male"}]}},
      {"resource":{"resourceType":"Basic","subject":{"reference":"Group/1"}}}
     ],"resourceType":"Bundle","type":"searchset"}"##;
    let (entries, rejected) = all(text);
    assert!(rejected.is_empty());
    let keys: Vec<_> = entries
        .iter()
        .map(|e| {
            e.subjects[0]
                .identity
                .as_ref()
                .and_then(|i| i.key())
                .map(|k| format!("{} {}", k.authority, k.value))
        })
        .collect();
    let expected = [
        Some("site/Patient p9"),
        Some("site/Patient p9"),
        Some("https://h/fhir/Patient 4"),
        Some("http://mrn 7"),
        None,
        None,
    ];
    assert_eq!(keys.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
    assert_eq!(entries[4].subjects[0].identity.as_ref().unwrap().sex, Some(Sex::Male));
    assert_eq!(entries[2].place, "entry 3");
}

#[test]
fn lines_are_read_one_by_one_and_bad_ones_put_aside() {
    let text = format!(
        "{}\n\n{{\"resourceType\":\"Basic\",}}\n{{\"id\":\"x\"}}\n{{\"resourceType\":\"Basic\",\"id\":\"1\",\"id\":\"2\"}}\n\u{feff}{{\"resourceType\":\"Nova\"}}\n[1]",
        LAB.replace('\n', " ")
    );
    let (entries, rejected) = all(text);
    assert_eq!(entries.iter().map(|e| e.place.as_str()).collect::<Vec<_>>(), ["line 1", "line 6"]);
    assert_eq!(entries[1].subjects[0].events[0].code.as_str(), "FHIR|Nova");
    let found: Vec<_> = rejected.iter().map(|r| (r.place.as_str(), r.rule.as_str())).collect();
    assert_eq!(
        found,
        [
            ("line 3", "fhir.json"),
            ("line 4", "fhir.resource"),
            ("line 5", "fhir.json.twice"),
            ("line 7", "fhir.resource")
        ]
    );
    assert_eq!(rejected[0].bytes.as_deref(), Some(&b"{\"resourceType\":\"Basic\",}"[..]));
}

#[test]
fn notes_are_text_and_other_forms_are_assets() {
    let text = r#"{"resourceType":"DocumentReference","status":"current","date":"2024-01-02T03:04:05Z","content":[
     {"attachment":{"contentType":"text/plain","data":"SGVsbG8="}},
     {"attachment":{"contentType":"text/html; charset=utf-8","data":"PHA+TG93ICZsdDsgNTwvcD48c2NyaXB0Png8L3NjcmlwdD48cD5iPC9wPg=="}},
     {"attachment":{"contentType":"application/pdf","data":"JVBERg=="}},
     {"attachment":{"contentType":"text/plain","data":"."}}]}"#;
    let entry = one(text);
    let events = &entry.subjects[0].events;
    assert_eq!(events[0].text.as_deref(), Some("Hello"));
    assert_eq!(events[1].text.as_deref(), Some("Low < 5\nb"));
    assert_eq!(entry.assets[0].media_type, "application/pdf");
    assert_eq!(events[2].asset, Some(entry.assets[0].id));
    assert_eq!((entry.findings.len(), events.len()), (1, 4));
    assert!(events[3].attribute("fhir").is_some() && events[0].attribute("fhir").is_none());
}

#[test]
fn what_was_not_so_has_no_code_of_its_own() {
    let text = LAB.replace("\"final\"", "\"entered-in-error\"");
    let events = events(&text);
    assert_eq!((events[0].code.as_str(), events[0].value), ("FHIR|Observation", None));
}

#[test]
fn an_end_is_not_known_at_the_beginning() {
    let text = r#"{"resourceType":"Encounter","id":"e","status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"IMP"},
     "period":{"start":"2024-01-01","end":"2024-01-09"},"hospitalization":{"dischargeDisposition":{"text":"exp"}}}"#;
    let events = events(text);
    assert_eq!(events.len(), 2);
    assert!(events[0].attribute("fhir").is_none() && events[0].attribute("dischargeDisposition").is_none());
    assert_eq!(events[1].attribute("dischargeDisposition"), Some("TEXT|exp"));
    assert!(events[0].times.usable_from().unwrap().0 < events[1].times.usable_from().unwrap().0);
}

#[test]
fn a_variant_has_its_gene_and_change() {
    let text = r#"{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"69548-6"}]},
     "valueCodeableConcept":{"coding":[{"system":"http://loinc.org","code":"LA9633-4","display":"Present"}]},"component":[
     {"code":{"coding":[{"system":"http://loinc.org","code":"48018-6"}]},"valueCodeableConcept":{"coding":[{"system":"http://www.genenames.org/geneId","code":"HGNC:1100","display":"BRCA1"}]}},
     {"code":{"coding":[{"system":"http://loinc.org","code":"81258-6"}]},"valueQuantity":{"value":0.48,"code":"1"}}]}"#;
    let events = events(text);
    assert_eq!((events[0].modality.as_str(), events[0].text.as_deref()), ("genomics", Some("Present")));
    assert_eq!(events[0].attribute("gene"), Some("BRCA1"));
    assert_eq!(events[0].attribute("gene_code"), Some("HGNC|HGNC:1100"));
    assert_eq!((events[2].value, events.len()), (Some(0.48), 3));
}

#[test]
fn packed_bundles_are_read_and_bombs_are_not() {
    use std::io::Write;
    let pack = |bytes: &[u8]| {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gz.write_all(bytes).unwrap();
        gz.finish().unwrap()
    };
    assert_eq!(all(pack(LAB.as_bytes())).0.len(), 1);
    let cut = pack(LAB.as_bytes());
    let mut sink = (Vec::new(), Vec::new());
    let result = read(&Source::memory("x", cut[..cut.len() - 9].to_vec()), &Feed::utc("s"), &mut sink);
    assert!(matches!(result, Err(crate::Error::Damaged { .. })));
    let bomb = pack(&vec![b' '; 300 << 20]);
    let result = read(&Source::memory("x", bomb), &Feed::utc("s"), &mut sink);
    assert!(matches!(result, Err(crate::Error::Damaged { .. })));
}

#[test]
fn broken_texts_are_put_aside() {
    for text in [
        "{",
        "[",
        "x",
        "{}",
        "{\"resourceType\":\"Bundle\",\"entry\":[",
        "{\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{\"resourceType\":\"Basic\"}},{\"a\"",
        "{\"resourceType\":\"Basic\"} x",
        "{\"resourceType\":\"Basic\"}}",
        "\"x\"",
        "{\"resourceType\":7}",
        "{\"resourceType\":\"Bundle\",\"entry\":[{}]}",
        "{\"resourceType\":\"Bundle\"} {",
    ] {
        let (_, rejected) = all(text);
        assert_eq!(rejected.len(), 1, "{text} {rejected:?}");
    }
    assert!(recognises(b"\xef\xbb\xbf {\"resourceType\":\"Patient\"}", "x"));
    assert!(!recognises(b"{\"a\":1}", "x.json") && !recognises(b"resourceType", "x"));
}
