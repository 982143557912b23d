use super::{at, list, text};
use crate::feed::{Feed, Parts};
use chiasm_record::{AssetId, Code, Event, Modality, Moment, Times};
use serde_json::Value;

/// What all events of one phenopacket share.
struct Case<'a> {
    feed: &'a Feed,
    created: Option<Moment>,
}

/// The events of `packet`, whose subject is called `subject`.
pub(super) fn of(packet: &Value, subject: &str, feed: &Feed, asset: AssetId) -> Vec<Event> {
    let moment = |t: &str| Parts::iso(t).and_then(|p| feed.moment(&p));
    let created = text(packet, &["metaData", "created"]).and_then(moment);
    let case = Case { feed, created };
    let mut events = Vec::new();
    if let Some(person) = packet.get("subject") {
        case.person(person, &mut events);
    }
    case.observations(packet, None, &mut events);
    for disease in list(packet, "diseases") {
        let Some(mut event) = case.term(disease.get("term"), "conditions", disease.get("onset")) else {
            continue;
        };
        exclude(disease, &mut event);
        event = event.with("kind", Some("disease"));
        for (key, name) in
            [("resolution", "resolution"), ("primarySite", "primary_site"), ("laterality", "laterality")]
        {
            event = event.with(name, disease.get(key).and_then(written));
        }
        for key in ["diseaseStage", "clinicalTnmFinding"] {
            for stage in list(disease, key) {
                event = event.with(key, written(stage));
            }
        }
        events.push(event);
    }
    for action in list(packet, "medicalActions") {
        events.extend(case.action(action));
    }
    for sample in list(packet, "biosamples") {
        case.sample(sample, &mut events);
    }
    for interpretation in list(packet, "interpretations") {
        case.interpretation(interpretation, subject, &mut events);
    }
    for file in list(packet, "files") {
        let mut event =
            Event::new(case.times(None), Code::new("PHENOPACKET", "file"), Modality::new("other"));
        // The address is kept and never opened.
        event.text = text(file, &["uri"]).map(str::to_owned);
        if let Some(attributes) = file.get("fileAttributes").and_then(Value::as_object) {
            for (name, value) in attributes {
                event = event.with(name, value.as_str());
            }
        }
        events.push(event);
    }
    for event in &mut events {
        event.asset = Some(asset);
    }
    events
}

/// A term, age or time as it is written: `HP:0003577 Congenital onset`, `P7Y`, a timestamp, JSON otherwise.
fn written(value: &Value) -> Option<String> {
    if let Some(text) = value.as_str() {
        return Some(text.to_owned());
    }
    if let Some(id) = text(value, &["id"]) {
        return Some(text(value, &["label"]).map_or_else(|| id.to_owned(), |label| format!("{id} {label}")));
    }
    for path in [&["age", "iso8601duration"][..], &["iso8601duration"], &["timestamp"]] {
        if let Some(text) = text(value, path) {
            return Some(text.to_owned());
        }
    }
    if let Some(term) = value.get("ontologyClass") {
        return written(term);
    }
    if let Some(age) = value.get("gestationalAge") {
        let number = |key| age.get(key).and_then(Value::as_i64).unwrap_or(0);
        return Some(format!("gestation {}w{}d", number("weeks"), number("days")));
    }
    if let Some(range) = value.get("ageRange") {
        return Some(format!("{}/{}", written(range.get("start")?)?, written(range.get("end")?)?));
    }
    (!value.is_null()).then(|| value.to_string())
}

fn exclude(value: &Value, event: &mut Event) {
    if value.get("excluded").and_then(Value::as_bool) == Some(true) {
        event.text = Some("excluded".to_owned());
    }
}

impl Case<'_> {
    fn times(&self, happened: Option<Moment>) -> Times {
        Times { happened, known: None, recorded: self.created }
    }

    fn moment(&self, time: &Value) -> Option<Moment> {
        let stamp = time
            .as_str()
            .or_else(|| text(time, &["timestamp"]))
            .or_else(|| text(time, &["interval", "start"]));
        self.feed.moment(&Parts::iso(stamp?)?)
    }

    /// An event of the ontology class `class`; its prefix is the code's system.
    fn term(&self, class: Option<&Value>, modality: &str, time: Option<&Value>) -> Option<Event> {
        let id = text(class?, &["id"])?;
        let system = id.split_once(':').map_or("PHENOPACKET", |(prefix, _)| prefix);
        let times = self.times(time.and_then(|t| self.moment(t)));
        let event = Event::new(times, Code::new(system, id), Modality::new(modality));
        Some(event.with("label", text(class?, &["label"])).with("onset", time.and_then(written)))
    }

    fn plain(&self, code: &str, value: Option<String>) -> Option<Event> {
        let mut event =
            Event::new(self.times(None), Code::new("PHENOPACKET", code), Modality::new("demographics"));
        event.text = Some(value?);
        Some(event)
    }

    fn person(&self, person: &Value, events: &mut Vec<Event>) {
        events.extend(
            self.plain("time_at_last_encounter", person.get("timeAtLastEncounter").and_then(written)),
        );
        for (key, code) in
            [("karyotypicSex", "karyotypic_sex"), ("gender", "gender"), ("taxonomy", "taxonomy")]
        {
            events.extend(self.plain(code, person.get(key).and_then(written)));
        }
        if let Some(status) = person.get("vitalStatus") {
            let event = self.plain("vital_status", text(status, &["status"]).map(str::to_owned));
            let death = status.get("timeOfDeath");
            events.extend(event.map(|mut e| {
                e.times = self.times(death.and_then(|t| self.moment(t)));
                e.with("time_of_death", death.and_then(written))
                    .with("cause_of_death", status.get("causeOfDeath").and_then(written))
                    .with("survival_days", status.get("survivalTimeInDays").and_then(written))
            }));
        }
    }

    /// The features and measurements of a phenopacket or a biosample.
    fn observations(&self, of: &Value, specimen: Option<&str>, events: &mut Vec<Event>) {
        let before = events.len();
        for feature in list(of, "phenotypicFeatures") {
            let Some(mut event) = self.term(feature.get("type"), "phenotypes", feature.get("onset")) else {
                continue;
            };
            exclude(feature, &mut event);
            event = event.with("severity", feature.get("severity").and_then(written));
            event = event.with("resolution", feature.get("resolution").and_then(written));
            for modifier in list(feature, "modifiers") {
                event = event.with("modifier", written(modifier));
            }
            for evidence in list(feature, "evidence") {
                event = event.with("evidence", evidence.get("evidenceCode").and_then(written));
            }
            events.push(event.with("description", text(feature, &["description"])));
        }
        for measurement in list(of, "measurements") {
            let time = measurement.get("timeObserved");
            let Some(mut event) = self.term(measurement.get("assay"), "laboratory", time) else { continue };
            let value = measurement.get("value");
            if let Some(quantity) = value.and_then(|v| v.get("quantity")) {
                event.value = quantity.get("value").and_then(Value::as_f64);
                event.unit =
                    text(quantity, &["unit", "id"]).map(|u| u.trim_start_matches("UCUM:").to_owned());
                event = event.with("reference_range", quantity.get("referenceRange").map(Value::to_string));
            } else if let Some(class) = value.and_then(|v| v.get("ontologyClass")) {
                event.text = written(class);
            } else {
                event.text = value.or_else(|| measurement.get("complexValue")).map(Value::to_string);
            }
            events.push(event.with("description", text(measurement, &["description"])));
        }
        for event in &mut events[before..] {
            event.specimen = specimen.map(str::to_owned);
        }
    }

    fn action(&self, action: &Value) -> Option<Event> {
        let (kind, modality, path) = [
            ("procedure", "procedures", &["procedure", "code"][..]),
            ("treatment", "medications", &["treatment", "agent"]),
            ("radiationTherapy", "procedures", &["radiationTherapy", "modality"]),
            ("therapeuticRegimen", "medications", &["therapeuticRegimen", "ontologyClass"]),
        ]
        .into_iter()
        .find(|(_, _, path)| at(action, path).is_some())?;
        let time = at(action, &[kind, "performed"]).or_else(|| at(action, &[kind, "startTime"]));
        let doses = at(action, &[kind, "doseIntervals"]).and_then(|d| d.get(0));
        let time = time.or_else(|| doses.and_then(|d| d.get("interval")).and_then(|i| i.get("start")));
        let event = self.term(at(action, path), modality, time)?;
        let event =
            event.with("kind", Some(kind)).with("intent", action.get("treatmentIntent").and_then(written));
        let event = event.with("target", action.get("treatmentTarget").and_then(written));
        Some(event.with("dose", doses.and_then(|d| d.get("quantity")).map(Value::to_string)))
    }

    fn sample(&self, sample: &Value, events: &mut Vec<Event>) {
        let Some(id) = text(sample, &["id"]) else { return };
        let time = sample.get("timeOfCollection");
        let mut event = self.term(sample.get("sampledTissue"), "pathology", time).unwrap_or_else(|| {
            let times = self.times(time.and_then(|t| self.moment(t)));
            Event::new(times, Code::new("PHENOPACKET", "biosample"), Modality::new("pathology"))
        });
        event.specimen = Some(id.to_owned());
        for key in [
            "sampleType",
            "histologicalDiagnosis",
            "tumorProgression",
            "tumorGrade",
            "pathologicalStage",
            "derivedFromId",
        ] {
            event = event.with(key, sample.get(key).and_then(written));
        }
        events.push(event);
        self.observations(sample, Some(id), events);
    }

    fn interpretation(&self, interpretation: &Value, subject: &str, events: &mut Vec<Event>) {
        let Some(diagnosis) = interpretation.get("diagnosis") else { return };
        let status = text(interpretation, &["progressStatus"]);
        if let Some(event) = self.term(diagnosis.get("disease"), "conditions", None) {
            events.push(event.with("kind", Some("interpretation")).with("progress", status));
        }
        for call in list(diagnosis, "genomicInterpretations") {
            let found = at(call, &["variantInterpretation", "variationDescriptor"]);
            let gene = call.get("gene").or_else(|| call.get("geneDescriptor"));
            let vcf = found.and_then(|f| f.get("vcfRecord"));
            let part = |key| vcf.and_then(|v| v.get(key)).and_then(written).unwrap_or_default();
            let code = match (vcf, found) {
                (Some(_), _) => {
                    let place = format!("{}:{}:{}:{}", part("chrom"), part("pos"), part("ref"), part("alt"));
                    Code::new("VCF", &place)
                }
                (None, Some(found)) => Code::new("VARIANT", text(found, &["id"]).unwrap_or("unnamed")),
                (None, None) => {
                    Code::new("GENE", gene.and_then(|g| text(g, &["symbol"])).unwrap_or("unnamed"))
                }
            };
            let mut event = Event::new(self.times(None), code, Modality::new("genomics"));
            let whose = text(call, &["subjectOrBiosampleId"]);
            event.specimen = whose.filter(|id| *id != subject).map(str::to_owned);
            event = event.with("status", text(call, &["interpretationStatus"]));
            event = event.with("assembly", vcf.and_then(|v| text(v, &["genomeAssembly"])));
            let variant = call.get("variantInterpretation");
            event = event.with("acmg", variant.and_then(|v| text(v, &["acmgPathogenicityClassification"])));
            event = event.with("actionability", variant.and_then(|v| text(v, &["therapeuticActionability"])));
            if let Some(found) = found {
                event.text = found.get("allelicState").and_then(written);
                event = event.with("gene", text(found, &["geneContext", "symbol"]));
                event = event.with("gene_id", text(found, &["geneContext", "valueId"]));
                event = event.with("structural_type", found.get("structuralType").and_then(written));
                event = event.with("label", text(found, &["label"]));
                for expression in list(found, "expressions") {
                    let name =
                        text(expression, &["syntax"]).unwrap_or("expression").replace("hgvs.", "hgvs_");
                    event = event.with(&name, text(expression, &["value"]));
                }
            }
            events.push(event);
        }
    }
}
