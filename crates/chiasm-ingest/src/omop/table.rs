//! The tables of the CDM: what is required, and how a clinical one becomes events. Long, for the CDM has many.

use super::is_parquet;

/// A table that a file is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table {
    /// Its name.
    pub name: &'static str,
    /// What becomes of it.
    pub kind: Kind,
    /// Columns that it must have.
    pub required: &'static [&'static str],
}

/// What becomes of a table's rows.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Who there is.
    Person,
    /// Events of a person.
    Clinical(&'static Clinical),
    /// Codes and words for concept ids: read beside the others.
    Concept,
    /// What others refer to, or what follows from others: not evidence of its own.
    Aside(&'static str),
}

/// Which columns of a clinical table say what.
#[derive(Debug)]
pub(super) struct Clinical {
    pub modality: &'static str,
    /// The column of the main concept; the code itself, with a bar, where there is none.
    pub concept: &'static str,
    /// The beginnings of `_source_value` and `_source_concept_id`.
    pub stem: &'static str,
    /// Columns of date and datetime.
    pub start: (&'static str, &'static str),
    /// The same of the end.
    pub end: Option<(&'static str, &'static str)>,
    /// The column with the row's own key.
    pub id: &'static str,
    /// Whether the row is a visit, and its key an encounter.
    pub is_visit: bool,
}

const fn clinical(
    modality: &'static str,
    concept: &'static str,
    stem: &'static str,
    start: (&'static str, &'static str),
    end: Option<(&'static str, &'static str)>,
    id: &'static str,
) -> Clinical {
    Clinical { modality, concept, stem, start, end, id, is_visit: false }
}

static VISIT: Clinical = Clinical {
    is_visit: true,
    ..clinical(
        "encounters",
        "visit_concept_id",
        "visit",
        ("visit_start_date", "visit_start_datetime"),
        Some(("visit_end_date", "visit_end_datetime")),
        "visit_occurrence_id",
    )
};
static VISIT_DETAIL: Clinical = clinical(
    "encounters",
    "visit_detail_concept_id",
    "visit_detail",
    ("visit_detail_start_date", "visit_detail_start_datetime"),
    Some(("visit_detail_end_date", "visit_detail_end_datetime")),
    "visit_detail_id",
);
static CONDITION: Clinical = clinical(
    "conditions",
    "condition_concept_id",
    "condition",
    ("condition_start_date", "condition_start_datetime"),
    Some(("condition_end_date", "condition_end_datetime")),
    "condition_occurrence_id",
);
static DRUG: Clinical = clinical(
    "medications",
    "drug_concept_id",
    "drug",
    ("drug_exposure_start_date", "drug_exposure_start_datetime"),
    Some(("drug_exposure_end_date", "drug_exposure_end_datetime")),
    "drug_exposure_id",
);
static PROCEDURE: Clinical = clinical(
    "procedures",
    "procedure_concept_id",
    "procedure",
    ("procedure_date", "procedure_datetime"),
    Some(("procedure_end_date", "procedure_end_datetime")),
    "procedure_occurrence_id",
);
static DEVICE: Clinical = clinical(
    "procedures",
    "device_concept_id",
    "device",
    ("device_exposure_start_date", "device_exposure_start_datetime"),
    Some(("device_exposure_end_date", "device_exposure_end_datetime")),
    "device_exposure_id",
);
static MEASUREMENT: Clinical = clinical(
    "labs",
    "measurement_concept_id",
    "measurement",
    ("measurement_date", "measurement_datetime"),
    None,
    "measurement_id",
);
static OBSERVATION: Clinical = clinical(
    "other",
    "observation_concept_id",
    "observation",
    ("observation_date", "observation_datetime"),
    None,
    "observation_id",
);
static NOTE: Clinical =
    clinical("notes", "note_class_concept_id", "note", ("note_date", "note_datetime"), None, "note_id");
static SPECIMEN: Clinical = clinical(
    "labs",
    "specimen_concept_id",
    "specimen",
    ("specimen_date", "specimen_datetime"),
    None,
    "specimen_id",
);
static EPISODE: Clinical = clinical(
    "conditions",
    "episode_concept_id",
    "episode",
    ("episode_start_date", "episode_start_datetime"),
    Some(("episode_end_date", "episode_end_datetime")),
    "episode_id",
);
static PERIOD: Clinical = clinical(
    "other",
    "CDM|observation_period",
    "period",
    ("observation_period_start_date", "observation_period_start_datetime"),
    Some(("observation_period_end_date", "observation_period_end_datetime")),
    "observation_period_id",
);
static DEATH: Clinical =
    clinical("demographics", "MEDS_DEATH", "cause", ("death_date", "death_datetime"), None, "person_id");

const REFERRED: &str = "is what other tables refer to";
const DERIVED: &str = "follows from other tables";
const VOCABULARY: &str = "is a table of the vocabularies";

/// All tables that are known, in the CDM's order.
static TABLES: &[Table] = &[
    Table {
        name: "person",
        kind: Kind::Person,
        required: &[
            "person_id",
            "gender_concept_id",
            "year_of_birth",
            "race_concept_id",
            "ethnicity_concept_id",
        ],
    },
    Table {
        name: "observation_period",
        kind: Kind::Clinical(&PERIOD),
        required: &[
            "observation_period_id",
            "person_id",
            "observation_period_start_date",
            "observation_period_end_date",
            "period_type_concept_id",
        ],
    },
    Table {
        name: "visit_occurrence",
        kind: Kind::Clinical(&VISIT),
        required: &[
            "visit_occurrence_id",
            "person_id",
            "visit_concept_id",
            "visit_start_date",
            "visit_end_date",
            "visit_type_concept_id",
        ],
    },
    Table {
        name: "visit_detail",
        kind: Kind::Clinical(&VISIT_DETAIL),
        required: &[
            "visit_detail_id",
            "person_id",
            "visit_detail_concept_id",
            "visit_detail_start_date",
            "visit_detail_end_date",
            "visit_detail_type_concept_id",
            "visit_occurrence_id",
        ],
    },
    Table {
        name: "condition_occurrence",
        kind: Kind::Clinical(&CONDITION),
        required: &[
            "condition_occurrence_id",
            "person_id",
            "condition_concept_id",
            "condition_start_date",
            "condition_type_concept_id",
        ],
    },
    Table {
        name: "drug_exposure",
        kind: Kind::Clinical(&DRUG),
        required: &[
            "drug_exposure_id",
            "person_id",
            "drug_concept_id",
            "drug_exposure_start_date",
            "drug_exposure_end_date",
            "drug_type_concept_id",
        ],
    },
    Table {
        name: "procedure_occurrence",
        kind: Kind::Clinical(&PROCEDURE),
        required: &[
            "procedure_occurrence_id",
            "person_id",
            "procedure_concept_id",
            "procedure_date",
            "procedure_type_concept_id",
        ],
    },
    Table {
        name: "device_exposure",
        kind: Kind::Clinical(&DEVICE),
        required: &[
            "device_exposure_id",
            "person_id",
            "device_concept_id",
            "device_exposure_start_date",
            "device_type_concept_id",
        ],
    },
    Table {
        name: "measurement",
        kind: Kind::Clinical(&MEASUREMENT),
        required: &[
            "measurement_id",
            "person_id",
            "measurement_concept_id",
            "measurement_date",
            "measurement_type_concept_id",
        ],
    },
    Table {
        name: "observation",
        kind: Kind::Clinical(&OBSERVATION),
        required: &[
            "observation_id",
            "person_id",
            "observation_concept_id",
            "observation_date",
            "observation_type_concept_id",
        ],
    },
    Table {
        name: "note",
        kind: Kind::Clinical(&NOTE),
        required: &[
            "note_id",
            "person_id",
            "note_date",
            "note_type_concept_id",
            "note_class_concept_id",
            "note_text",
        ],
    },
    Table {
        name: "specimen",
        kind: Kind::Clinical(&SPECIMEN),
        required: &[
            "specimen_id",
            "person_id",
            "specimen_concept_id",
            "specimen_type_concept_id",
            "specimen_date",
        ],
    },
    Table {
        name: "episode",
        kind: Kind::Clinical(&EPISODE),
        required: &["episode_id", "person_id", "episode_concept_id", "episode_start_date"],
    },
    Table { name: "death", kind: Kind::Clinical(&DEATH), required: &["person_id", "death_date"] },
    Table {
        name: "concept",
        kind: Kind::Concept,
        required: &["concept_id", "concept_name", "vocabulary_id", "concept_code"],
    },
    aside("provider", REFERRED, &["provider_id"]),
    aside("care_site", REFERRED, &["care_site_id"]),
    aside("location", REFERRED, &["location_id"]),
    aside("cdm_source", REFERRED, &["cdm_source_name"]),
    aside("metadata", REFERRED, &["metadata_concept_id"]),
    aside("note_nlp", DERIVED, &["note_nlp_id", "note_id"]),
    aside("fact_relationship", REFERRED, &["fact_id_1", "fact_id_2"]),
    aside("episode_event", REFERRED, &["episode_id", "event_id"]),
    aside("cost", REFERRED, &["cost_id"]),
    aside("payer_plan_period", REFERRED, &["payer_plan_period_id", "person_id"]),
    aside("condition_era", DERIVED, &["condition_era_id"]),
    aside("drug_era", DERIVED, &["drug_era_id"]),
    aside("dose_era", DERIVED, &["dose_era_id"]),
    aside("cohort", DERIVED, &["cohort_definition_id", "subject_id"]),
    aside("cohort_definition", DERIVED, &["cohort_definition_id"]),
    aside("vocabulary", VOCABULARY, &["vocabulary_id"]),
    aside("domain", VOCABULARY, &["domain_id"]),
    aside("concept_class", VOCABULARY, &["concept_class_id"]),
    aside("concept_relationship", VOCABULARY, &["concept_id_1", "concept_id_2"]),
    aside("relationship", VOCABULARY, &["relationship_id"]),
    aside("concept_synonym", VOCABULARY, &["concept_id", "concept_synonym_name"]),
    aside("concept_ancestor", VOCABULARY, &["ancestor_concept_id"]),
    aside("source_to_concept_map", VOCABULARY, &["source_code"]),
    aside("drug_strength", VOCABULARY, &["drug_concept_id", "ingredient_concept_id"]),
    aside("concept_cpt4", VOCABULARY, &["concept_id", "vocabulary_id"]),
];

const fn aside(name: &'static str, why: &'static str, required: &'static [&'static str]) -> Table {
    Table { name, kind: Kind::Aside(why), required }
}

/// What DuckDB writes beside the tables that it exports: no evidence.
static SCRIPT: Table = aside("script", "says how a database is made of the tables", &[]);

impl Table {
    /// The table that a file is, by its name (`person.csv`, `2b_concept.csv`, `cdm_PERSON.parquet`,
    /// `person/part-0.parquet`) and, where it is text, by its header.
    pub fn of(head: &[u8], name: &str) -> Option<Self> {
        let parts: Vec<&str> = name.rsplit(['/', '!']).filter(|p| !p.is_empty()).take(2).collect();
        let file = parts.first()?.to_ascii_lowercase();
        if matches!(file.as_str(), "schema.sql" | "load.sql") {
            let upper = head.to_ascii_uppercase();
            let says = |word: &[u8]| upper.windows(word.len()).any(|w| w == word);
            return ((says(b"CREATE TABLE ") || says(b"COPY ")) && says(b"PERSON")).then_some(SCRIPT);
        }
        let (stem, ending) = file.split_once('.').unwrap_or((&file, ""));
        if !matches!(
            ending,
            "csv" | "tsv" | "txt" | "parquet" | "" | "csv!" | "snappy.parquet" | "zstd.parquet"
        ) {
            return None;
        }
        let table = named(stem).or_else(|| {
            let part = stem.starts_with("part-") || stem.bytes().all(|b| b.is_ascii_digit());
            parts.get(1).filter(|_| part).and_then(|folder| {
                let folder = folder.to_ascii_lowercase();
                named(folder.split('.').next().unwrap_or(&folder))
            })
        })?;
        // What a Parquet file holds stands at its end; a text says it at once.
        (is_parquet(head) || table.fits(head)).then_some(table)
    }

    /// Whether a text begins with a header that has the required columns, or all but one of them: what is wrong
    /// is told then.
    fn fits(&self, head: &[u8]) -> bool {
        let line = head.split(|b| matches!(b, b'\n' | b'\r')).next().unwrap_or_default();
        let Ok(line) = std::str::from_utf8(line) else { return false };
        let names = header(line, delimiter(line));
        let has = |name: &&str| names.iter().any(|n| n == *name);
        let found = self.required.iter().filter(|n| has(n)).count();
        found > 0 && found + 1 >= self.required.len()
    }
}

/// The table whose name a file's name is, or ends with after an underscore; the longest such.
fn named(stem: &str) -> Option<Table> {
    let ends = |t: &&Table| {
        stem.strip_suffix(t.name).is_some_and(|before| before.is_empty() || before.ends_with(['_', '-']))
    };
    TABLES.iter().filter(ends).max_by_key(|t| t.name.len()).copied()
}

/// What parts the cells of a header, whose names hold none of them.
pub(super) fn delimiter(line: &str) -> u8 {
    let count = |d: u8| line.bytes().filter(|b| *b == d).count();
    [b',', b'\t', b';', b'|'].into_iter().max_by_key(|d| (count(*d), *d == b',')).unwrap_or(b',')
}

/// The names of columns in a header, in small letters.
pub(super) fn header(line: &str, delimiter: u8) -> Vec<String> {
    let line = line.trim_start_matches('\u{feff}');
    line.split(char::from(delimiter))
        .map(|n| n.trim().trim_matches('"').trim().to_ascii_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_found_by_name_and_header() {
        let person = b"PERSON_ID,Gender_Concept_ID,year_of_birth,race_concept_id,ethnicity_concept_id\n";
        let found = |head: &[u8], name: &str| Table::of(head, name).map(|t| t.name);
        assert_eq!(found(person, "a/PERSON.csv"), Some("person"));
        assert_eq!(
            found(
                b"\xef\xbb\xbfperson_id\tgender_concept_id\tyear_of_birth\trace_concept_id\n",
                "cdm_person.tsv"
            ),
            Some("person")
        );
        assert_eq!(found(b"name,age\n", "person.csv"), None);
        assert_eq!(found(b"PAR1", "x.zip!/omop/Visit_Occurrence.parquet"), Some("visit_occurrence"));
        assert_eq!(found(b"PAR1", "measurement/part-00000-abc.snappy.parquet"), Some("measurement"));
        assert_eq!(found(b"PAR1", "2b_concept.parquet"), Some("concept"));
        assert_eq!(found(b"PAR1", "data/train/0.parquet"), None);
        assert_eq!(found(b"CREATE TABLE person(", "omop/schema.sql"), Some("script"));
        assert_eq!(found(b"person_id,death_date\n1,2020-01-01", "death.csv"), Some("death"));
        assert_eq!(found(b"", ""), None);
    }
}
