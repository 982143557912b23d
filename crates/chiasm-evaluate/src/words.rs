//! Numbers and the verdict as a reader meets them. Never stronger than the numbers.

use crate::report::{Comparison, Measure, Report, Verdict};

/// The verdict as a clinician reads it: what was compared, by how much, how sure, on whom.
///
/// The sentence follows [`Report::verdict`]. Where the deciding comparison is missing or does not
/// bear the verdict out, the words say that instead of repeating a claim.
pub fn verdict_words(report: &Report) -> String {
    let Some(comparison) = report.deciding_comparison() else {
        return format!(
            "This report holds no comparison of fusion with the best single modality, so it says nothing about \
             whether fusion helps. {}",
            basis(report)
        );
    };
    let gain = Gain::of(comparison);
    let fusion = fusion_words(report, &comparison.a);
    let single = format!("{} alone", plain(&comparison.b));
    let evidence = evidence(report, comparison);
    let (verb, better, worse) = ranking_words(&comparison.metric);
    if !gain.bears_out(report.verdict, comparison, report.margin) {
        return format!(
            "The run's verdict is {}, but the numbers do not bear it out {evidence}. Read it as undecided. {}",
            report.verdict.as_str(),
            basis(report)
        );
    }
    let claim = match report.verdict {
        Verdict::FusionBetter => {
            format!("{fusion} {verb} {better} than {single} {evidence}.{}", gain.caution(report))
        }
        Verdict::NoGain => format!(
            "{fusion} adds nothing that matters over {single} {evidence}.{} {} is the simpler choice.",
            gain.ceiling(),
            capital(&single)
        ),
        Verdict::FusionWorse => {
            format!("{fusion} {verb} {worse} than {single} {evidence}. Prefer {single}.")
        }
        Verdict::Inconclusive => format!(
            "These data cannot tell whether {} {} {better} than {single} {evidence}.{}",
            uncapital(&fusion),
            present(verb),
            weak_comparator(report, comparison).unwrap_or_else(|| gain.reach())
        ),
    };
    format!("{claim} {}", basis(report))
}

/// What keeps a gain over the single that each fold chose from being a verdict: it is not there over the
/// single that is best overall.
fn weak_comparator(report: &Report, deciding: &Comparison) -> Option<String> {
    let named = report.named_comparison().filter(|c| !c.decides)?;
    if !Gain::of(deciding).bears_out(Verdict::FusionBetter, deciding, report.margin) {
        return None;
    }
    let digits = digits(named);
    let interval = match (named.low, named.high) {
        (Some(low), Some(high)) => {
            format!(", 95 % interval {} to {}", fixed(low, digits), fixed(high, digits))
        }
        _ => String::new(),
    };
    Some(format!(
        " The gain is beyond chance over the single modality that each fold chose, but that choice changed from \
         fold to fold; over {} alone, the best overall, it is not (difference {}{interval}).",
        plain(&named.b),
        fixed(named.difference, digits)
    ))
}

/// Difference seen as a gain: above 0 favours the fusion, whatever the metric's direction.
struct Gain {
    low: Option<f64>,
    high: Option<f64>,
    digits: usize,
}

impl Gain {
    fn of(c: &Comparison) -> Self {
        let (low, high) = if lower_is_better(&c.metric) {
            (c.high.map(|x| -x), c.low.map(|x| -x))
        } else {
            (c.low, c.high)
        };
        Self { low, high, digits: digits(c) }
    }

    /// Whether the numbers allow the verdict to be said aloud.
    fn bears_out(&self, verdict: Verdict, c: &Comparison, margin: Option<f64>) -> bool {
        let beyond_chance = c.p_holm.or(c.p).is_none_or(|p| p < 0.05);
        match verdict {
            Verdict::FusionBetter => beyond_chance && self.low.is_some_and(|low| low > 0.0),
            Verdict::FusionWorse => beyond_chance && self.high.is_some_and(|high| high < 0.0),
            Verdict::NoGain => match (self.high, margin) {
                (Some(high), Some(margin)) => high <= margin,
                (Some(_), None) => self.low.is_some_and(|low| low <= 0.0),
                (None, _) => false,
            },
            Verdict::Inconclusive => true,
        }
    }

    fn caution(&self, report: &Report) -> String {
        let (Some(low), Some(high), Some(margin)) = (self.low, self.high, report.margin) else {
            return String::new();
        };
        let modal = match () {
            () if high < margin => "is nevertheless",
            () if low < margin => "may still be",
            () => return String::new(),
        };
        format!(
            " The gain {modal} smaller than {}, the least that was held to matter beforehand.",
            trimmed(margin)
        )
    }

    fn ceiling(&self) -> String {
        match self.high {
            Some(high) if high > 0.0 => {
                format!(" If there is a gain, it is unlikely to exceed {}.", fixed(high, self.digits))
            }
            _ => String::new(),
        }
    }

    fn reach(&self) -> String {
        let end = |x: f64| {
            let word = if x < 0.0 { "loss" } else { "gain" };
            format!("a {word} of {}", fixed(x.abs(), self.digits))
        };
        match (self.low, self.high) {
            (Some(low), Some(high)) if low > 0.0 || high < 0.0 => {
                " The interval excludes a difference of 0, but the p value does not hold after correction for the \
                 other comparisons."
                    .to_owned()
            }
            (Some(low), Some(high)) => {
                format!(
                    " Anything from {} to {} fits them; it takes more patients to tell.",
                    end(low),
                    end(high)
                )
            }
            _ => String::new(),
        }
    }
}

fn fusion_words(report: &Report, name: &str) -> String {
    match report.model(name) {
        Some(m) if m.modalities.len() < report.modalities.len() => {
            format!("Using {} together", list(&m.modalities.iter().map(|m| plain(m)).collect::<Vec<_>>()))
        }
        _ => "Using all modalities together".to_owned(),
    }
}

/// `(AUROC .79 against .70; difference .09, 95 % interval .05 to .13; p = .0003 after Holm)`
fn evidence(report: &Report, c: &Comparison) -> String {
    let digits = digits(c);
    let value = |name: &str| report.model(name)?.metrics.get(&c.metric).map(|m| fixed(m.estimate, digits));
    let name = metric_name(&c.metric);
    let mut parts = vec![match (value(&c.a), value(&c.b)) {
        (Some(a), Some(b)) => format!("{name} {a} against {b}"),
        _ => name,
    }];
    let mut difference = format!("difference {}", fixed(c.difference, digits));
    if let (Some(low), Some(high)) = (c.low, c.high) {
        difference += &format!(", 95 % interval {} to {}", fixed(low, digits), fixed(high, digits));
    }
    parts.push(difference);
    match (c.p_holm, c.p) {
        (Some(p), _) => parts.push(format!("{} after Holm", p_value(p))),
        (None, Some(p)) => parts.push(format!("{}, not corrected for other comparisons", p_value(p))),
        (None, None) => {}
    }
    format!("({})", parts.join("; "))
}

fn basis(report: &Report) -> String {
    match report.events {
        Some(events) => {
            format!("Judged on {} patients, {} of them with the event.", count(report.n), count(events))
        }
        None => format!("Judged on {} patients.", count(report.n)),
    }
}

/// Two digits, or three where two would round a bound to 0 and so hide on which side it lies.
fn digits(c: &Comparison) -> usize {
    let hidden = |x: f64| x != 0.0 && x.abs() < 0.01;
    if [c.low, c.high, Some(c.difference)].into_iter().flatten().any(hidden) { 3 } else { 2 }
}

fn ranking_words(metric: &str) -> (&'static str, &'static str, &'static str) {
    let ranks = ["auroc", "auprc", "c_index", "uno_c"].iter().any(|m| metric.starts_with(m));
    if ranks {
        ("ranked patients", "better", "worse")
    } else {
        ("predicted outcomes", "more accurately", "less accurately")
    }
}

fn present(verb: &str) -> String {
    verb.replacen("ed ", "s ", 1)
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn uncapital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// A metric's key as a reader knows it: `auroc` is AUROC.
pub fn metric_name(key: &str) -> String {
    let known = match key {
        "auroc" => "AUROC",
        "auprc" => "AUPRC",
        "brier" => "Brier score",
        "log_loss" => "log loss",
        "c_index" => "C-index",
        "uno_c" => "Uno's C",
        "ibs" => "integrated Brier score",
        "rmse" => "RMSE",
        "mae" => "mean absolute error",
        "r2" => "R²",
        _ => match key.strip_prefix("auroc_") {
            Some(label) => return format!("AUROC, {}", plain(label)),
            None => return plain(key),
        },
    };
    known.to_owned()
}

/// Whether a smaller value of the metric is the better one.
pub fn lower_is_better(metric: &str) -> bool {
    matches!(metric, "brier" | "log_loss" | "ibs" | "rmse" | "mae")
}

/// A name from a recipe as a reader meets it: `cell_density` is "cell density".
pub(crate) fn plain(name: &str) -> String {
    name.replace('_', " ")
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list(names: &[String]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// `.79`, `−.02`, `1.50`: no zero before the point, a real minus sign, `–` for what is not a number.
pub(crate) fn fixed(x: f64, digits: usize) -> String {
    if !x.is_finite() {
        return "–".to_owned();
    }
    let text = format!("{:.digits$}", x.abs());
    let negative = x < 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b));
    let text = match text.strip_prefix("0.") {
        Some(rest) => format!(".{rest}"),
        None => text,
    };
    if negative { format!("−{text}") } else { text }
}

/// As many digits as the number needs, at most 4.
pub(crate) fn trimmed(x: f64) -> String {
    let text = fixed(x, 4);
    if text.contains('.') {
        let text = text.trim_end_matches('0').trim_end_matches('.');
        return if text.is_empty() || text == "−" { "0".to_owned() } else { text.to_owned() };
    }
    text
}

/// `.787 (.741 to .832)`, or the estimate alone.
pub(crate) fn measure(m: &Measure, digits: usize) -> String {
    match (m.low, m.high) {
        (Some(low), Some(high)) => {
            format!("{} ({} to {})", fixed(m.estimate, digits), fixed(low, digits), fixed(high, digits))
        }
        _ => fixed(m.estimate, digits),
    }
}

/// `p = .0003`, `p < .0001`.
pub(crate) fn p_value(p: f64) -> String {
    match bare_p(p) {
        text if text.starts_with('<') => format!("p {text}"),
        text => format!("p = {text}"),
    }
}

/// `.0003`, `< .0001`: the p value without its letter.
pub(crate) fn bare_p(p: f64) -> String {
    if p < 0.0001 {
        "< .0001".to_owned()
    } else if p < 0.001 {
        fixed(p, 4)
    } else {
        fixed(p, 3)
    }
}

/// `12,345`.
pub(crate) fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(c);
    }
    text
}

/// `12.5 %`.
pub(crate) fn percent(share: f64, digits: usize) -> String {
    if share.is_finite() { format!("{:.digits$} %", share * 100.0) } else { "–".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{ModalityCount, ModelKind, ModelResult};
    use chiasm_record::TaskKind;

    fn model(name: &str, kind: ModelKind, modalities: &[&str], metric: &str, estimate: f64) -> ModelResult {
        ModelResult {
            name: name.into(),
            kind,
            modalities: modalities.iter().map(|&m| m.into()).collect(),
            fusion: None,
            metrics: [(metric.to_owned(), Measure::point(estimate).unwrap())].into(),
        }
    }

    fn report(metric: &str, a: f64, b: f64, low: f64, high: f64, p: f64, verdict: Verdict) -> Report {
        let mut report = Report::new("demo", TaskKind::Binary);
        (report.n, report.events, report.metric) = (560, Some(124), metric.into());
        report.modalities =
            ["clinical", "pathology"].map(|m| ModalityCount { name: m.into(), n: 560 }).into();
        report.models = vec![
            model("pathology", ModelKind::Single, &["pathology"], metric, b),
            model("attention", ModelKind::Fusion, &["clinical", "pathology"], metric, a),
        ];
        report.comparisons = vec![Comparison {
            a: "attention".into(),
            b: "pathology".into(),
            metric: metric.into(),
            difference: a - b,
            low: Some(low),
            high: Some(high),
            p: Some(p / 2.0),
            p_holm: Some(p),
            test: "DeLong".into(),
            decides: true,
        }];
        report.verdict = verdict;
        report
    }

    #[test]
    fn better() {
        let r = report("auroc", 0.79, 0.70, 0.05, 0.13, 0.0003, Verdict::FusionBetter);
        insta::assert_snapshot!(verdict_words(&r));
    }

    #[test]
    fn better_but_perhaps_by_less_than_matters() {
        let mut r = report("auroc", 0.79, 0.70, 0.004, 0.13, 0.03, Verdict::FusionBetter);
        r.margin = Some(0.02);
        insta::assert_snapshot!(verdict_words(&r));
    }

    #[test]
    fn no_gain() {
        let mut r = report("c_index", 0.701, 0.70, -0.012, 0.014, 0.9, Verdict::NoGain);
        r.margin = Some(0.02);
        insta::assert_snapshot!(verdict_words(&r));
    }

    #[test]
    fn worse() {
        let r = report("auroc", 0.66, 0.70, -0.07, -0.012, 0.004, Verdict::FusionWorse);
        insta::assert_snapshot!(verdict_words(&r));
    }

    #[test]
    fn inconclusive() {
        let r = report("auroc", 0.72, 0.70, -0.02, 0.06, 0.4, Verdict::Inconclusive);
        insta::assert_snapshot!(verdict_words(&r));
    }

    #[test]
    fn an_interval_above_zero_is_not_enough() {
        let words = verdict_words(&report("auroc", 0.75, 0.70, 0.01, 0.09, 0.06, Verdict::Inconclusive));
        assert!(words.starts_with("These data cannot tell") && words.contains("after correction"), "{words}");
    }

    #[test]
    fn less_is_better_turns_the_words_not_the_numbers() {
        let r = report("brier", 0.15, 0.19, -0.06, -0.02, 0.001, Verdict::FusionBetter);
        insta::assert_snapshot!(verdict_words(&r));
    }

    #[test]
    fn words_are_never_stronger_than_the_numbers() {
        for (low, high, p, verdict) in [
            (-0.01, 0.13, 0.03, Verdict::FusionBetter),
            (0.01, 0.13, 0.06, Verdict::FusionBetter),
            (-0.13, 0.01, 0.03, Verdict::FusionWorse),
            (0.01, 0.13, 0.03, Verdict::NoGain),
        ] {
            let words = verdict_words(&report("auroc", 0.75, 0.70, low, high, p, verdict));
            assert!(words.contains("do not bear it out"), "{verdict:?}: {words}");
        }
        let mut silent = report("auroc", 0.75, 0.70, 0.01, 0.13, 0.03, Verdict::FusionBetter);
        silent.comparisons.clear();
        assert!(verdict_words(&silent).contains("says nothing"));
    }

    #[test]
    fn numbers_as_people_write_them() {
        assert_eq!(
            [fixed(0.787, 2), fixed(-0.001, 2), fixed(-0.02, 2), fixed(1.5, 2)],
            [".79", ".00", "−.02", "1.50"]
        );
        assert_eq!([trimmed(0.02), trimmed(0.0), trimmed(10.0), trimmed(2.5)], [".02", "0", "10", "2.5"]);
        assert_eq!(
            [p_value(0.00002), p_value(0.0003), p_value(0.04)],
            ["p < .0001", "p = .0003", "p = .040"]
        );
        assert_eq!([count(7), count(1234), count(1234567)], ["7", "1,234", "1,234,567"]);
        assert_eq!(fixed(f64::NAN, 2), "–");
    }
}
