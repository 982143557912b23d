use crate::codes;
use crate::json::Json;
use chiasm_record::{Code, Event};

/// The longest code that a text becomes, in characters.
const TEXT: usize = 200;

/// A concept: its main code, its other codes, and words for it.
#[derive(Clone, Debug)]
pub(super) struct Coded {
    pub main: Code,
    pub also: Vec<Code>,
    pub words: Option<String>,
}

impl Coded {
    /// Gives the event the other codes and the words.
    pub fn describe(&self, event: &mut Event) {
        event.attributes.extend(self.also.iter().map(|c| ("also".to_owned(), c.to_string())));
        event.attributes.extend(self.words.iter().map(|w| ("words".to_owned(), w.clone())));
    }

    /// Makes it the event's value.
    pub fn as_value(&self, event: &mut Event) {
        event.text = Some(self.words.clone().unwrap_or_else(|| self.main.code().to_owned()));
        for code in std::iter::once(&self.main).chain(&self.also) {
            event.attributes.push(("value_code".to_owned(), code.to_string()));
        }
    }
}

/// A CodeableConcept, a Coding, or a list of them (the first that says anything).
pub(super) fn coded(json: &Json<'_>) -> Option<Coded> {
    if let Json::Array(items) = json {
        return items.iter().find_map(coded);
    }
    let codings = if json.get("coding").is_some() { json.each("coding") } else { std::slice::from_ref(json) };
    let mut codes: Vec<(u8, Code)> = Vec::with_capacity(codings.len());
    for coding in codings {
        let Some(code) = coding.text_of("code").map(str::trim).filter(|c| !c.is_empty()) else { continue };
        let code = match coding.text_of("system") {
            Some(system) => {
                let system = codes::system(system);
                (rank(&system), Code::new(&system, code))
            }
            None => (5, Code::verbatim(code)),
        };
        if !codes.iter().any(|(_, c)| *c == code.1) {
            codes.push(code);
        }
    }
    codes.sort_by_key(|(rank, _)| *rank);
    let display = || codings.iter().find_map(|c| c.text_of("display"));
    let words = json.text_of("text").or_else(display).map(str::trim).filter(|w| !w.is_empty());
    let mut codes = codes.into_iter().map(|(_, code)| code);
    let main = match codes.next() {
        Some(main) => main,
        None => of_text(words?),
    };
    Some(Coded { main, also: codes.collect(), words: words.map(str::to_owned) })
}

/// The code of a concept that is text alone: blanks as one, bars gone, at most [`TEXT`] characters.
pub(super) fn of_text(words: &str) -> Code {
    let one: String = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = one.chars().map(|c| if c == '|' { '/' } else { c }).take(TEXT).collect();
    Code::new("TEXT", &short)
}

/// Which of several codings is the main one.
fn rank(system: &str) -> u8 {
    match system {
        "LOINC" => 0,
        "SNOMED" => 1,
        "RxNorm" => 2,
        system if system.starts_with("ICD") => 3,
        _ => 4,
    }
}

/// Whether the concept has that code.
pub(super) fn has(json: &Json<'_>, system: &str, code: &str) -> bool {
    json.each("coding").iter().any(|c| {
        c.text_of("code") == Some(code) && c.text_of("system").is_some_and(|s| codes::system(s) == system)
    })
}

/// A unit as it is sent: the UCUM code first, then the unit's text, then any code.
pub(super) fn unit(quantity: &Json<'_>) -> Option<String> {
    let code = quantity.text_of("code").filter(|c| !c.is_empty());
    let ucum = quantity.text_of("system").is_some_and(|s| codes::system(s) == "UCUM");
    let text = quantity.text_of("unit").filter(|u| !u.is_empty());
    code.filter(|_| ucum).or(text).or(code).map(str::to_owned)
}

/// Any element in a few words, for an attribute; `None` for what has none.
pub(super) fn plain(json: &Json<'_>) -> Option<String> {
    match json {
        Json::Null | Json::Array(_) => None,
        Json::Bool(value) => Some(value.to_string()),
        Json::Number(digits) => Some(digits.to_string()),
        Json::Text(text) => Some(text.to_string()),
        Json::Object(_) => {
            if let Some(reference) = json.text_of("reference") {
                return Some(reference.to_owned());
            }
            if json.get("start").is_some() || json.get("end").is_some() {
                let part = |name| json.get(name).and_then(plain).unwrap_or_default();
                return Some(format!("{}/{}", part("start"), part("end")));
            }
            if let Some(digits) = json.get("value").and_then(Json::digits) {
                let comparator = json.text_of("comparator").unwrap_or_default();
                let unit = unit(json).map_or_else(String::new, |u| format!(" {u}"));
                return Some(format!("{comparator}{digits}{unit}"));
            }
            if json.get("low").is_some() || json.get("high").is_some() {
                let part = |name| json.get(name).and_then(plain).unwrap_or_default();
                return Some(format!("{}..{}", part("low"), part("high")));
            }
            if json.get("numerator").is_some() {
                let part = |name| json.get(name).and_then(plain).unwrap_or_default();
                return Some(format!("{}:{}", part("numerator"), part("denominator")));
            }
            if let Some(value) = json.text_of("value") {
                return Some(value.to_owned());
            }
            coded(json).map(|c| c.main.to_string()).or_else(|| json.get("identifier").and_then(plain))
        }
    }
}

/// Gives the event the value of `value[x]` (or of another choice with that stem).
pub(super) fn value(of: &Json<'_>, stem: &str, event: &mut Event) {
    let choice = of.members().iter().find_map(|(name, json)| {
        let kind = name.strip_prefix(stem).filter(|k| k.starts_with(|c: char| c.is_ascii_uppercase()))?;
        Some((kind, json))
    });
    let Some((kind, json)) = choice else { return };
    let mut add = |name: &str, text: Option<String>| {
        event.attributes.extend(text.filter(|t| !t.is_empty()).map(|t| (name.to_owned(), t)));
    };
    match kind {
        "Quantity" | "Age" | "Duration" | "Money" | "Count" | "Distance" => {
            add("comparator", json.text_of("comparator").map(str::to_owned));
            event.value = json.get("value").and_then(Json::number);
            event.unit = unit(json);
        }
        "Integer" | "Decimal" | "PositiveInt" | "UnsignedInt" => event.value = json.number(),
        "CodeableConcept" | "Coding" => {
            if let Some(coded) = coded(json) {
                coded.as_value(event);
            }
        }
        "Range" => {
            add("value_low", json.get("low").and_then(plain));
            add("value_high", json.get("high").and_then(plain));
            event.text = plain(json);
        }
        "SampledData" => {
            for part in ["period", "factor", "lowerLimit", "upperLimit", "dimensions"] {
                add(part, json.get(part).and_then(plain));
            }
            add("origin", json.get("origin").and_then(plain));
            event.unit = json.get("origin").and_then(unit);
            event.text = json.text_of("data").map(str::to_owned);
        }
        _ => event.text = plain(json),
    }
}
