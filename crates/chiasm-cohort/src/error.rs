use std::fmt::Write as _;

/// What can be wrong with a site, its data or a split.
///
/// Messages name the file, line and column, what was expected and what kind of thing was found;
/// never a patient's value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Parts of an [`crate::Examples`] do not fit together.
    #[error("examples do not fit together: {message}")]
    Shape {
        /// What does not fit.
        message: String,
    },
    /// A `site.toml` cannot be read.
    #[error("site{}: {message}{}", line_text(*.line), nearest_text(.nearest.as_deref()))]
    Site {
        /// The line in the text, where it is known (the first line is 1).
        line: Option<usize>,
        /// What is wrong, with the key named.
        message: String,
        /// The nearest key that is known there.
        nearest: Option<String>,
    },
    /// A column that is known only after the index time is bound as an input.
    #[error(
        "{place} takes `{column}` of table `{table}` as an input, but the site calls it an outcome: it is known only afterwards"
    )]
    Leak {
        /// The binding: `modalities.clinical`, or a derived column.
        place: String,
        /// The table's name in the site.
        table: String,
        /// The outcome column.
        column: String,
    },
    /// A recipe asks for a name that the site does not have.
    #[error("the site has no {what} `{name}`{}", nearest_text(.nearest.as_deref()))]
    UnknownName {
        /// What kind of name: modality, outcome, subgroup, folds.
        what: &'static str,
        /// The name asked for.
        name: String,
        /// The nearest name that there is.
        nearest: Option<String>,
    },
    /// The recipe's task and the site's outcome, horizon or declarations do not go together.
    #[error("{message}")]
    Task {
        /// What does not go together.
        message: String,
    },
    /// A `{parameter}` of a file name has no usable value.
    #[error("parameter `{name}`: {message}")]
    Parameter {
        /// The parameter.
        name: String,
        /// What is wrong with it.
        message: String,
    },
    /// A file that training needs is not there.
    #[error("table `{table}`: the file {file} is missing")]
    MissingFile {
        /// The table's name in the site.
        table: String,
        /// The file's name in the site.
        file: String,
    },
    /// A column is not in its file.
    #[error("{origin}: no column `{column}`{}{}", nearest_text(.nearest.as_deref()), if *.single { "; the file has one column only: is the delimiter another one?" } else { "" })]
    MissingColumn {
        /// The file.
        origin: String,
        /// The column that was expected.
        column: String,
        /// The nearest column that is there.
        nearest: Option<String>,
        /// Whether the file has one column only, as a wrong delimiter makes it.
        single: bool,
    },
    /// Two rows have the same key.
    #[error("{place}: the key in column `{column}` stands already in {earlier}; expected one row a subject")]
    DuplicateKey {
        /// File and line of the second row.
        place: String,
        /// The key column.
        column: String,
        /// File and line of the first row.
        earlier: String,
    },
    /// A row has no key.
    #[error("{place}: the key column `{column}` is empty")]
    EmptyKey {
        /// File and line.
        place: String,
        /// The key column.
        column: String,
    },
    /// Rows of one subject that must agree do not.
    #[error(
        "{place}: column `{column}` differs from {earlier}, a row of the same subject; expected the same"
    )]
    Disagree {
        /// File and line of the later row.
        place: String,
        /// The column.
        column: String,
        /// File and line of the first row.
        earlier: String,
    },
    /// A cell does not hold what its column is declared to hold.
    #[error("{place}, column `{column}`: expected {expected}, found {found}")]
    Cell {
        /// File and line.
        place: String,
        /// The column.
        column: String,
        /// What the site declares.
        expected: String,
        /// The kind of thing that stands there, never the value.
        found: &'static str,
    },
    /// Most values of a column are impossible in the declared unit.
    #[error(
        "{origin}, column `{column}`: {outside} of {total} values lie outside the plausible range {range}; is the unit another one than `{unit}`?"
    )]
    Implausible {
        /// The file.
        origin: String,
        /// The column.
        column: String,
        /// Values outside.
        outside: usize,
        /// Values in all.
        total: usize,
        /// The declared range.
        range: String,
        /// The declared unit.
        unit: String,
    },
    /// The site's binding is not the one that the run was trained with.
    #[error("{place}: expected {expected} as in training, found {found}")]
    Changed {
        /// What has changed: modality and column.
        place: String,
        /// In training.
        expected: String,
        /// Now.
        found: String,
    },
    /// A required modality has no data at the site.
    #[error("modality `{modality}` is required but not available: {reason}")]
    Unavailable {
        /// The modality.
        modality: String,
        /// Why it is not.
        reason: String,
    },
    /// No id of the modality tables is known to the outcome table.
    #[error("no subject of {left} is in {right}: are the key columns the same identifiers?")]
    NothingJoins {
        /// The modality tables.
        left: String,
        /// The outcome table.
        right: String,
    },
    /// Nobody is left.
    #[error("no subject is left: {reasons}")]
    NobodyLeft {
        /// Why, counted.
        reasons: String,
    },
    /// A split that cannot be made.
    #[error("impossible split: {message}")]
    Split {
        /// Why.
        message: String,
    },
    /// Given folds that are no partition of the subjects.
    #[error("folds `{name}`: {message}")]
    Folds {
        /// The folds' name in the site.
        name: String,
        /// What is wrong.
        message: String,
    },
}

fn line_text(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(", line {line}"))
}

fn nearest_text(nearest: Option<&str>) -> String {
    let mut text = String::new();
    if let Some(nearest) = nearest {
        let _ = write!(text, "; the nearest that there is: `{nearest}`");
    }
    text
}

/// The candidate most like `name`, if one is near enough to be meant.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let lower = name.to_lowercase();
    candidates
        .into_iter()
        .map(|c| (strsim::jaro_winkler(&lower, &c.to_lowercase()), c))
        .filter(|(score, _)| *score > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, c)| c.to_owned())
}
