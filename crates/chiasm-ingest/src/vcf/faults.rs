use crate::feed::{Checked, Fault, Severity};
use std::borrow::Cow;
use std::collections::HashMap;

/// Faults of one rule that are told one by one; the others are counted.
const TOLD: usize = 20;

/// Collects faults in bounded memory, however many a file has.
#[derive(Default)]
pub(super) struct Faults {
    told: Vec<Fault>,
    /// How often each rule was broken, in order of its first time.
    counts: Vec<(&'static str, Severity, usize)>,
    total: usize,
    by_rule: HashMap<(&'static str, Severity), usize>,
    /// The worst since [`Faults::fresh`], with its rule and message.
    worst: Option<(Severity, &'static str, Cow<'static, str>)>,
}

impl Faults {
    /// Adds a fault at `line` (0 for the whole file).
    pub fn add(
        &mut self,
        severity: Severity,
        rule: &'static str,
        line: u64,
        message: impl Into<Cow<'static, str>>,
    ) {
        let counts = &mut self.counts;
        let at = *self.by_rule.entry((rule, severity)).or_insert_with(|| {
            counts.push((rule, severity, 0));
            counts.len() - 1
        });
        self.counts[at].2 += 1;
        self.total += 1;
        let message = message.into();
        if self.counts[at].2 <= TOLD {
            let place = if line == 0 { String::new() } else { format!("line {line}") };
            self.told.push(Fault {
                severity,
                rule: rule.to_owned(),
                place,
                message: message.clone().into_owned(),
            });
        }
        if self.worst.as_ref().is_none_or(|(worst, ..)| *worst < severity) {
            self.worst = Some((severity, rule, message));
        }
    }

    /// The standard forbids it.
    pub fn error(&mut self, rule: &'static str, line: u64, message: impl Into<Cow<'static, str>>) {
        self.add(Severity::Error, rule, line, message);
    }

    /// Allowed, and likely a mistake.
    pub fn warn(&mut self, rule: &'static str, line: u64, message: impl Into<Cow<'static, str>>) {
        self.add(Severity::Warning, rule, line, message);
    }

    /// An error where `strict`, a warning otherwise.
    pub fn either(
        &mut self,
        strict: bool,
        rule: &'static str,
        line: u64,
        message: impl Into<Cow<'static, str>>,
    ) {
        self.add(if strict { Severity::Error } else { Severity::Warning }, rule, line, message);
    }

    /// How many there are.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Forgets which fault was the worst.
    pub fn fresh(&mut self) {
        self.worst = None;
    }

    /// The rule and message of the worst fault since [`Faults::fresh`], where it is an error.
    pub fn worst_error(&self) -> Option<(&'static str, &str)> {
        let (severity, rule, message) = self.worst.as_ref()?;
        (*severity == Severity::Error).then_some((*rule, message.as_ref()))
    }

    /// How often each rule was broken: rule, severity, times.
    pub fn counts(&self) -> &[(&'static str, Severity, usize)] {
        &self.counts
    }

    /// Puts everything into `checked`.
    pub fn into_checked(self, checked: &mut Checked) {
        checked.faults.extend(self.told);
        for (rule, severity, count) in self.counts {
            if count > TOLD {
                checked.fault(severity, rule, "", format!("{} more of this rule", count - TOLD));
            }
        }
    }
}
