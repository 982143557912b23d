//! What is known afterwards: a label for each subject, or the reason why there is none.

use super::keyed::Keyed;
use super::{Tables, code};
use crate::site::{EventCodes, LateEvent, NegativeTime, OutcomeBinding, TimeUnit};
use crate::{Error, TaskSpec};
use chiasm_record::{Column, Finding, Outcome, SubjectId, Task, TaskKind};

/// One subject's answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    Flag(bool),
    Class(usize),
    Labels(Vec<bool>),
    Number(f64),
    Time { years: f64, event: bool },
}

/// An answer, or why there is none.
pub(super) type Label = Result<Answer, &'static str>;

const NO_ROW: &str = "not in the outcome table";
const UNKNOWN: &str = "outcome not known";
const NEGATIVE: &str = "time below 0";
const SHORT: &str = "follow-up ends before the horizon";
const LATE: &str = "event after the horizon";

/// The task with its outputs' names.
pub(super) fn task(spec: &TaskSpec, outcome: &OutcomeBinding) -> Result<Task, Error> {
    use OutcomeBinding as O;
    let error = |message: String| Err(Error::Task { message });
    let timed = matches!(outcome, O::Event(_) | O::Survival(_));
    match (spec.horizon_years, spec.kind == TaskKind::Binary && timed) {
        (None, true) => {
            return error(format!(
                "outcome `{}` has a time: a binary task needs `horizon_years`",
                spec.outcome
            ));
        }
        (Some(_), false) => {
            return error("`horizon_years` belongs to a binary task about an event with a time".to_owned());
        }
        (Some(years), true) if !(years.is_finite() && years > 0.0) => {
            return error("`horizon_years` must be above 0".to_owned());
        }
        _ => {}
    }
    let outputs = match (spec.kind, outcome) {
        (TaskKind::Binary, O::Class(o)) if o.positive.is_none() && o.levels.len() != 2 => {
            return error(format!(
                "outcome `{}` has {} classes and no `positive` one",
                spec.outcome,
                o.levels.len()
            ));
        }
        (TaskKind::Binary, O::Event(_) | O::Survival(_) | O::Class(_))
        | (TaskKind::Survival, O::Event(_) | O::Survival(_))
        | (TaskKind::Regression, O::Value(_)) => vec![spec.outcome.clone()],
        (TaskKind::MultiClass, O::Class(o)) => o.levels.clone(),
        (TaskKind::MultiLabel, O::Labels(o)) => o.columns.clone(),
        (kind, _) => return error(format!("outcome `{}` cannot answer a {kind:?} task", spec.outcome)),
    };
    Ok(Task { kind: spec.kind, outputs })
}

/// The labels of `subjects`.
pub(super) fn read(
    spec: &TaskSpec,
    outcome: &OutcomeBinding,
    tables: &Tables<'_>,
    subjects: &[SubjectId],
    findings: &mut Vec<Finding>,
) -> Result<Vec<Label>, Error> {
    let table = tables.needed(outcome.table())?;
    let mut assumed = 0;
    let mut label = |subject: &SubjectId| -> Result<Label, Error> {
        if !table.rows.contains_key(subject) {
            return Ok(Err(NO_ROW));
        }
        match outcome {
            OutcomeBinding::Event(o) => {
                let Some(happened) = flag(table, &o.event, subject)? else { return Ok(Err(UNKNOWN)) };
                let mut free = !happened && !o.free_where.is_empty();
                for (name, texts) in &o.free_where {
                    let found = table.code_of(table.column(name)?, subject, &[])?;
                    free &= found.is_some_and(|(_, found)| texts.iter().any(|t| code(t) == found));
                }
                let column = if happened { &o.time_of_event } else { &o.time_of_last };
                let Some(years) = years(table, column, o.unit, o.negative_time, subject)? else {
                    return Ok(Err(NEGATIVE));
                };
                let label = answer(spec, years, happened, o.late_event);
                if label == Err(SHORT) && free {
                    assumed += 1;
                    return Ok(Ok(Answer::Flag(false)));
                }
                Ok(label)
            }
            OutcomeBinding::Survival(o) => {
                let Some(event) = flag(table, &o.event, subject)? else { return Ok(Err(UNKNOWN)) };
                let years = years(table, &o.time, o.unit, o.negative_time, subject)?;
                Ok(years.map_or(Err(NEGATIVE), |years| answer(spec, years, event, o.late_event)))
            }
            OutcomeBinding::Class(o) => {
                let column = table.column(&o.column)?;
                let Some((row, found)) = table.code_of(column, subject, &[])? else {
                    return Ok(Err(UNKNOWN));
                };
                let Some(class) = o.levels.iter().position(|level| code(level) == found) else {
                    let expected = format!("one of {}", o.levels.join(", "));
                    return Err(table.unexpected(column, row, expected, "another code"));
                };
                let positive = o.positive.as_ref().map_or(Some(1), |p| o.levels.iter().position(|l| l == p));
                Ok(Ok(match spec.kind {
                    TaskKind::Binary => Answer::Flag(Some(class) == positive),
                    _ => Answer::Class(class),
                }))
            }
            OutcomeBinding::Value(o) => {
                let found = table.number_of(table.column(&o.column)?, subject, &[])?;
                Ok(found.map_or(Err(UNKNOWN), |(_, value)| Ok(Answer::Number(value))))
            }
            OutcomeBinding::Labels(o) => {
                let codes = |column: &String| EventCodes {
                    column: column.clone(),
                    yes: o.yes.clone(),
                    no: o.no.clone(),
                };
                let flags = o.columns.iter().map(|column| flag(table, &codes(column), subject));
                let flags = flags.collect::<Result<Option<Vec<bool>>, Error>>()?;
                Ok(flags.map_or(Err(UNKNOWN), |flags| Ok(Answer::Labels(flags))))
            }
        }
    };
    let labels = subjects.iter().map(&mut label).collect::<Result<Vec<_>, _>>()?;
    if assumed > 0 {
        let message = "counted as free of the event by the site's `free_where` although follow-up ends before the horizon";
        findings.push(Finding::new(
            format!("{}, outcome `{}`", table.table.origin, spec.outcome),
            message,
            assumed,
        ));
    }
    let negative: Vec<SubjectId> =
        subjects.iter().zip(&labels).filter(|(_, l)| **l == Err(NEGATIVE)).map(|(s, _)| s.clone()).collect();
    if !negative.is_empty() {
        let place = format!("{}, outcome `{}`", table.table.origin, spec.outcome);
        let message = "a time below 0: the subject is left out".to_owned();
        findings.push(Finding { place, message, count: negative.len(), subjects: negative });
    }
    Ok(labels)
}

/// What a time and an event answer to the task.
fn answer(spec: &TaskSpec, years: f64, event: bool, late: LateEvent) -> Label {
    match spec.horizon_years {
        None => Ok(Answer::Time { years, event }),
        Some(horizon) if event && years <= horizon => Ok(Answer::Flag(true)),
        Some(_) if event && late == LateEvent::Exclude => Err(LATE),
        Some(horizon) if years > horizon => Ok(Answer::Flag(false)),
        Some(_) => Err(SHORT),
    }
}

/// Whether it happened; `None` where that is not known.
fn flag(table: &Keyed<'_>, codes: &EventCodes, subject: &SubjectId) -> Result<Option<bool>, Error> {
    let column = table.column(&codes.column)?;
    let Some((row, found)) = table.code_of(column, subject, &[])? else { return Ok(None) };
    let among = |codes: &[String]| codes.iter().any(|c| code(c) == found);
    match (among(&codes.yes), among(&codes.no)) {
        (true, _) => Ok(Some(true)),
        (_, true) => Ok(Some(false)),
        _ => {
            let expected = format!("one of {}", [&codes.yes[..], &codes.no[..]].concat().join(", "));
            Err(table.unexpected(column, row, expected, "another code"))
        }
    }
}

/// The time in years; `None` where it is below 0 and the site says to leave such subjects out.
fn years(
    table: &Keyed<'_>,
    column: &str,
    unit: TimeUnit,
    negative: NegativeTime,
    subject: &SubjectId,
) -> Result<Option<f64>, Error> {
    let column: &Column = table.column(column)?;
    let row = table.rows.get(subject).and_then(|rows| rows.first()).copied().unwrap_or_default();
    match table.number_of(column, subject, &[])? {
        None => Err(table.unexpected(column, row, "a time of 0 or more", "nothing")),
        Some((_, time)) if time >= 0.0 => Ok(Some(unit.years(time))),
        Some(_) if negative == NegativeTime::Exclude => Ok(None),
        Some((row, _)) => Err(table.unexpected(column, row, "a time of 0 or more", "a number below 0")),
    }
}

/// The answers as one outcome, and how many of them are the event or the positive class.
pub(super) fn collect(kind: TaskKind, answers: Vec<Answer>) -> Result<(Outcome, Option<usize>), Error> {
    let mixed = || Error::Task { message: "the labels are of another kind than the task".to_owned() };
    let mut outcome = match kind {
        TaskKind::Binary => Outcome::Binary(Vec::new()),
        TaskKind::MultiClass => Outcome::MultiClass(Vec::new()),
        TaskKind::MultiLabel => Outcome::MultiLabel(Vec::new()),
        TaskKind::Regression => Outcome::Regression(Vec::new()),
        TaskKind::Survival => Outcome::Survival { time: Vec::new(), event: Vec::new() },
    };
    for answer in answers {
        match (&mut outcome, answer) {
            (Outcome::Binary(v), Answer::Flag(x)) => v.push(x),
            (Outcome::MultiClass(v), Answer::Class(x)) => v.push(x),
            (Outcome::MultiLabel(v), Answer::Labels(x)) => v.push(x),
            (Outcome::Regression(v), Answer::Number(x)) => v.push(x),
            (Outcome::Survival { time, event }, Answer::Time { years, event: happened }) => {
                time.push(years);
                event.push(happened);
            }
            _ => return Err(mixed()),
        }
    }
    let count = |v: &[bool]| v.iter().filter(|&&x| x).count();
    let events = match &outcome {
        Outcome::Binary(v) => Some(count(v)),
        Outcome::Survival { event, .. } => Some(count(event)),
        _ => None,
    };
    let n = outcome.len();
    let one_class = match &outcome {
        Outcome::Binary(_) => events == Some(0) || events == Some(n),
        Outcome::Survival { .. } => events == Some(0),
        Outcome::MultiClass(v) => v.windows(2).all(|w| w[0] == w[1]),
        _ => false,
    };
    if one_class {
        let message = format!("all {n} subjects have the same outcome: there is nothing to learn from");
        return Err(Error::Task { message });
    }
    Ok((outcome, events))
}
