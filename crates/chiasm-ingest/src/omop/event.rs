//! A row of a clinical table as events of its person.

use super::concepts::Concepts;
use super::table::Clinical;
use crate::codes::VITALS;
use crate::feed::{Feed, Parts};
use chiasm_record::{Code, Event, Modality, Moment, Precision, Times};

/// What the standard concepts of comparison mean.
const OPERATORS: [(i64, &str); 5] =
    [(4_171_756, "<"), (4_171_754, "<="), (4_172_703, "="), (4_171_755, ">="), (4_172_704, ">")];

/// The code system of what the CDM says by a table or a column and not by a concept.
pub(super) const CDM: &str = "CDM";

/// A whole number as tables write it, `12` or `12.0`; `None` for anything else.
pub(super) fn number(cell: &str) -> Option<i64> {
    let cell = cell.split_once('.').map_or(
        cell,
        |(whole, rest)| {
            if rest.bytes().all(|b| b == b'0') { whole } else { cell }
        },
    );
    cell.parse().ok()
}

/// Whether a cell of a number or a time says that there is none.
pub(super) fn is_missing(cell: &str) -> bool {
    matches!(cell, "" | "NA" | "N/A" | "None" | "nan" | "NaN" | "NaT" | "NULL" | "null")
}

/// What a column holds by its name, as the CDM names columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    Id,
    Date,
    Time,
    Number,
    Text,
}

impl Holds {
    /// By the name.
    pub fn of(name: &str) -> Self {
        match name {
            "unique_device_id" | "production_id" | "specimen_source_id" | "vocabulary_id" | "domain_id"
            | "concept_class_id" => Self::Text,
            "value_as_number" | "quantity" | "range_low" | "range_high" | "refills" | "days_supply"
            | "year_of_birth" | "month_of_birth" | "day_of_birth" | "episode_number" => Self::Number,
            "verbatim_end_date" => Self::Date,
            name if name.ends_with("_id") => Self::Id,
            name if name.ends_with("_datetime") => Self::Time,
            name if name.ends_with("_date") => Self::Date,
            _ => Self::Text,
        }
    }
}

/// A row's cells by the names of their columns.
pub(super) struct Cells<'a> {
    pub names: &'a [String],
    pub cells: &'a [String],
}

impl<'a> Cells<'a> {
    /// A cell that says something.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        let at = self.names.iter().position(|n| n == name)?;
        let cell = self.cells.get(at)?.as_str();
        let missing = if Holds::of(name) == Holds::Text { cell.is_empty() } else { is_missing(cell) };
        (!missing).then_some(cell)
    }

    /// A whole number.
    pub fn id(&self, name: &str) -> Option<i64> {
        self.get(name).and_then(number)
    }

    /// A concept that is one: 0 is the CDM's word for none.
    pub fn concept(&self, name: &str) -> Option<i64> {
        self.id(name).filter(|id| *id != 0)
    }

    /// When: the datetime, or the date where there is none or it is midnight sharp. `Err` names the column
    /// that is no time.
    pub fn moment(
        &self,
        (date, datetime): (&'static str, &'static str),
        feed: &Feed,
    ) -> Result<Option<Moment>, &'static str> {
        let read = |name: &'static str| match self.get(name) {
            None => Ok(None),
            Some(cell) => {
                match Parts::iso(cell).or_else(|| Parts::compact(cell)).and_then(|p| when(&p, feed)) {
                    Some(moment) => Ok(Some(moment)),
                    None => Err(name),
                }
            }
        };
        match (read(datetime), read(date)) {
            (Ok(Some(moment)), _) => Ok(Some(moment)),
            // A date that can be read stands for a datetime that cannot.
            (_, Ok(Some(moment))) => Ok(Some(moment)),
            (Err(name), _) | (_, Err(name)) => Err(name),
            (Ok(None), Ok(None)) => Ok(None),
        }
    }
}

/// A time of the CDM: midnight sharp is the day.
fn when(parts: &Parts, feed: &Feed) -> Option<Moment> {
    let zero = |p: Option<i8>| p.is_none_or(|p| p == 0);
    let midnight =
        zero(parts.hour) && zero(parts.minute) && zero(parts.second) && parts.micros.is_none_or(|m| m == 0);
    if !midnight {
        return feed.moment(parts);
    }
    feed.moment(&Parts { hour: None, minute: None, second: None, micros: None, offset: None, ..*parts })
}

/// What a row could not be read for: the rule and what is wrong.
pub(super) type Broken = (&'static str, String);

/// The events of a row.
pub(super) fn events(
    cells: &Cells<'_>,
    of: &Clinical,
    concepts: &Concepts,
    feed: &Feed,
) -> Result<Vec<Event>, Broken> {
    let broken = |name: &str| ("omop.date", format!("expected a date or time in {name}"));
    let start = cells.moment(of.start, feed).map_err(broken)?;
    let start =
        start.ok_or_else(|| ("omop.date", format!("expected a date in {}, found none", of.start.0)))?;
    let end = of.end.map_or(Ok(None), |end| cells.moment(end, feed)).map_err(broken)?;
    let ends = end.filter(|end| *end != start || of.is_visit);
    let code = code(cells, of, concepts)?;

    let mut event = Event::new(Times::happened(start), code.clone(), modality(of, &code));
    let words = cells.concept(of.concept).and_then(|id| concepts.get(id)).map(|c| c.words.as_str());
    let table = of.id.trim_end_matches("_id");
    let resource = cells.get(of.id).map(|id| format!("{table}/{}", whole(id)));
    event = event.with("words", words).with("resource", resource.as_deref());
    event.encounter = cells.get("visit_occurrence_id").map(whole);
    if of.id == "specimen_id" {
        event.specimen = cells.get("specimen_id").map(whole);
    }
    value(cells, of, concepts, &mut event);
    let mut last = Event::new(
        Times { happened: ends, ..Times::default() },
        Code::new(CDM, &format!("{table}.end")),
        Modality::new(of.modality),
    )
    .with("code", Some(code.as_str()))
    .with("resource", resource);
    last.encounter.clone_from(&event.encounter);
    for (name, cell) in cells.names.iter().zip(cells.cells) {
        if cells.get(name).is_none() || is_said(name, of, &event) {
            continue;
        }
        // Where there is no end, what is said of it stands with the beginning.
        let late = ends.is_some() && is_late(name, of);
        if name == of.concept {
            // What it stands for is the event's code.
            event.attributes.push((name.clone(), whole(cell)));
            continue;
        }
        let on = if late { &mut last } else { &mut event };
        attribute(name, cell, concepts, on);
    }
    Ok(if ends.is_some() { vec![event, last] } else { vec![event] })
}

/// A column as an attribute, and what a concept id stands for beside it.
pub(super) fn attribute(name: &str, cell: &str, concepts: &Concepts, event: &mut Event) {
    let id = if Holds::of(name) == Holds::Id { number(cell) } else { None };
    let concept = id.filter(|id| *id != 0 && name.ends_with("_concept_id")).and_then(|id| concepts.get(id));
    if let Some(concept) = concept {
        let plain = name.trim_end_matches("_id").to_owned();
        event.attributes.push((plain, concept.code.to_string()));
    }
    event.attributes.push((name.to_owned(), id.map_or_else(|| cell.to_owned(), |id| id.to_string())));
}

/// The main code: by the concept, else by the source's concept, else the source's own word.
fn code(cells: &Cells<'_>, of: &Clinical, concepts: &Concepts) -> Result<Code, Broken> {
    if of.concept.contains('|') || of.concept.starts_with("MEDS_") {
        return Ok(Code::verbatim(of.concept));
    }
    let missing = || ("omop.concept", format!("expected a concept in {}, found none", of.concept));
    let id = match cells.get(of.concept) {
        Some(cell) => {
            number(cell).ok_or_else(|| ("omop.type", format!("expected a whole number in {}", of.concept)))?
        }
        None => return Err(missing()),
    };
    if id != 0 {
        return Ok(concepts.code(id));
    }
    let source = cells.concept(&format!("{}_source_concept_id", of.stem));
    if let Some(concept) = source.and_then(|id| concepts.get(id)) {
        return Ok(concept.code.clone());
    }
    let word = cells.get(&format!("{}_source_value", of.stem));
    let word = word.map(|w| w.chars().map(|c| if c == '|' { '/' } else { c }).take(200).collect::<String>());
    Ok(word.map_or_else(|| Code::new("OMOP", "0"), |w| Code::new("OMOP_SOURCE", &w)))
}

fn modality(of: &Clinical, code: &Code) -> Modality {
    let vital = of.id == "measurement_id" && code.system() == Some("LOINC") && VITALS.contains(&code.code());
    Modality::new(if vital { "vitals" } else { of.modality })
}

/// Number, text and unit.
fn value(cells: &Cells<'_>, of: &Clinical, concepts: &Concepts, event: &mut Event) {
    if of.id == "note_id" {
        event.text = cells.get("note_text").map(str::to_owned);
        return;
    }
    event.value = cells.get("value_as_number").and_then(|v| v.parse().ok()).filter(|v: &f64| v.is_finite());
    if let Some(id) = cells.concept("value_as_concept_id") {
        let code = concepts.code(id);
        event.text = Some(concepts.get(id).map_or_else(|| code.to_string(), |c| c.words.clone()));
        event.attributes.push(("value_code".to_owned(), code.to_string()));
    } else if let Some(text) = cells.get("value_as_string") {
        event.text = Some(text.to_owned());
    } else if event.value.is_none() {
        event.text = cells.get("value_source_value").map(str::to_owned);
    }
    let operator = cells.concept("operator_concept_id");
    let operator = OPERATORS.iter().find(|(id, _)| Some(*id) == operator).map(|(_, sign)| *sign);
    event.attributes.extend(operator.filter(|s| *s != "=").map(|s| ("comparator".to_owned(), s.to_owned())));
    if event.value.is_some() {
        let ucum = cells.concept("unit_concept_id").and_then(|id| concepts.get(id));
        let ucum = ucum.filter(|c| c.code.system() == Some("UCUM")).map(|c| c.code.code());
        event.unit = ucum.or_else(|| cells.get("unit_source_value")).map(str::to_owned);
    }
    let (low, high) = (cells.get("range_low"), cells.get("range_high"));
    if low.is_some() || high.is_some() {
        let range = format!("{}..{}", low.unwrap_or_default(), high.unwrap_or_default());
        event.attributes.push(("reference_range".to_owned(), range));
    }
}

/// Whether a column is said by the event itself.
fn is_said(name: &str, of: &Clinical, event: &Event) -> bool {
    let text = |column: &str| name == column && event.text.is_some();
    name == "person_id"
        || name == "visit_occurrence_id"
        || name == of.start.0
        || name == of.start.1
        || name == "value_as_number" && event.value.is_some()
        || text("value_as_string")
        || text("note_text")
}

/// Whether a column is known at the end alone.
fn is_late(name: &str, of: &Clinical) -> bool {
    of.end.is_some_and(|(date, datetime)| name == date || name == datetime)
        || name.starts_with("discharge")
        || matches!(name, "stop_reason" | "verbatim_end_date")
}

/// An id as text, without the decimals that a column of numbers gave it.
fn whole(cell: &str) -> String {
    number(cell).map_or_else(|| cell.to_owned(), |id| id.to_string())
}

/// A year, and month and day where they are known.
pub(super) fn birth(cells: &Cells<'_>, feed: &Feed) -> Option<Moment> {
    if let Ok(Some(moment)) = cells.moment(("birth_date", "birth_datetime"), feed) {
        return Some(moment);
    }
    let part = |name: &str| cells.id(name).and_then(|n| i8::try_from(n).ok());
    let year = i16::try_from(cells.id("year_of_birth")?).ok()?;
    let month = part("month_of_birth");
    let parts =
        Parts { year, month, day: part("day_of_birth").filter(|_| month.is_some()), ..Parts::default() };
    let moment = feed.moment(&parts);
    debug_assert!(moment.is_none_or(|m| m.precision() <= Precision::Day));
    moment
}
