//! A cohort as a hospital would hand it over: CSV files, with the site and the recipe that read them.

use crate::{Error, Synthetic};
use chiasm_record::{Block, Content, Outcome, SubjectId, TaskKind};
use std::fmt::Write;
use std::path::Path;

/// Days in a year, as sites count them.
const DAYS: f64 = 365.25;

/// Writes `folder/recipe.toml`, `folder/site.toml` and `folder/data/`: a CSV file per modality (a row
/// per subject who has it) and `outcomes.csv` (a row per subject). Makes the folder where it is not there.
///
/// Then `chiasm run FOLDER --site FOLDER --data FOLDER/data --out RUN` runs it. Numbers are written in
/// the shortest form that reads back, so the features are the cohort's own to the last bit (times go
/// through days).
///
/// # Errors
/// [`Error::Write`].
pub fn write_site(cohort: &Synthetic, folder: &Path) -> Result<(), Error> {
    let data = folder.join("data");
    std::fs::create_dir_all(&data).map_err(|source| Error::Write { path: data.clone(), source })?;
    let examples = &cohort.examples;
    for block in examples.blocks() {
        write(&data.join(format!("{}.csv", block.modality)), &modality_csv(block, examples.subjects()))?;
    }
    if let Some(outcome) = examples.outcome() {
        write(&data.join("outcomes.csv"), &outcome_csv(outcome, examples.subjects()))?;
    }
    write(&folder.join("site.toml"), &cohort.site())?;
    write(&folder.join("recipe.toml"), &cohort.recipe())
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    std::fs::write(path, text).map_err(|source| Error::Write { path: path.to_path_buf(), source })
}

fn modality_csv(block: &Block, subjects: &[SubjectId]) -> String {
    let mut text = String::from("subject");
    let Content::Table(grid) = &block.content else { return text };
    grid.features.iter().for_each(|f| text.extend([",", &f.name]));
    text.push('\n');
    for (row, subject) in subjects.iter().enumerate().filter(|(row, _)| block.present[*row]) {
        text.push_str(subject.as_str());
        for feature in 0..grid.features.len() {
            text.push(',');
            text.push_str(&grid.get(row, feature).map(|v| v.to_string()).unwrap_or_default());
        }
        text.push('\n');
    }
    text
}

fn outcome_csv(outcome: &Outcome, subjects: &[SubjectId]) -> String {
    match outcome {
        Outcome::Survival { time, event } => {
            let rows = subjects.iter().zip(time).zip(event);
            let rows = rows.map(|((s, t), &e)| format!("{s},{},{}\n", t * DAYS, u8::from(e)));
            std::iter::once("subject,days,event\n".to_owned()).chain(rows).collect()
        }
        Outcome::Binary(yes) => {
            let rows = subjects.iter().zip(yes);
            let rows = rows.map(|(s, &yes)| format!("{s},{}\n", if yes { "yes" } else { "no" }));
            std::iter::once("subject,answer\n".to_owned()).chain(rows).collect()
        }
        // No generator asks anything else.
        _ => String::new(),
    }
}

impl Synthetic {
    /// The text of the `site.toml` that binds the files of [`write_site`].
    pub fn site(&self) -> String {
        let mut text = format!(
            "# Made by chiasm-synth; not a hospital.\nname = \"{0}\"\ntitle = \"{0}\"\nlicence = \"none needed\"\n\
             citation = \"chiasm-synth\"\nkey = \"subject\"\nsubjects = \"outcomes\"\n\n\
             [tables.outcomes]\nfile = \"outcomes.csv\"\n",
            self.name
        );
        for m in self.examples.modalities() {
            let _ = write!(
                text,
                "\n[tables.{m}]\nfile = \"{m}.csv\"\n\n[modalities.{m}]\ntitle = \"modality {m}\"\n\
                 columns = [{{ table = \"{m}\", names = [\"{m}_c*\"], kind = \"numeric\" }}]\n"
            );
        }
        text.push_str(match self.examples.task().kind {
            TaskKind::Survival => {
                "\n[outcomes.answer]\nkind = \"survival\"\ntable = \"outcomes\"\ntime = \"days\"\nunit = \"d\"\n\
                 event = { column = \"event\", yes = [\"1\"], no = [\"0\"] }\n"
            }
            _ => {
                "\n[outcomes.answer]\nkind = \"class\"\ntable = \"outcomes\"\ncolumn = \"answer\"\n\
                 levels = [\"no\", \"yes\"]\npositive = \"yes\"\n"
            }
        });
        text
    }

    /// The text of a small, fast `recipe.toml`: ridge experts; `stacked` and `concat` (ridge) fusion, and
    /// for XOR, which no sum solves, boosted trees side by side instead, and an attention network.
    pub fn recipe(&self) -> String {
        let (kind, horizon) = match self.examples.task().kind {
            TaskKind::Survival => ("survival", "horizon_years = 4\n"),
            _ => ("binary", ""),
        };
        let mut text = format!(
            "# Made by chiasm-synth.\nname = \"{0}\"\nquestion = \"{1}\"\n\
             intended_use = \"To see whether a planted effect is found. Nobody is a patient here.\"\n\
             limits = [\"The cohort is synthetic.\"]\nindex_time = \"When the columns were drawn.\"\nsite = \"{0}\"\n\
             seed = 20261123\n{horizon}inner_folds = 4\nconfidence = 0.9\nmargin = 0.03\n\n\
             [task]\nkind = \"{kind}\"\noutcome = \"answer\"\n\n\
             [split]\nkind = \"repeated_k_fold\"\nfolds = 5\nrepeats = 2\n",
            self.name, self.question
        );
        for m in self.examples.modalities() {
            let _ = write!(
                text,
                "\n[[modalities]]\nname = \"{m}\"\nexperts = [{{ kind = \"ridge\", penalties = [1, 10] }}]\n"
            );
        }
        text.push_str("\n[[fusions]]\nkind = \"stacked\"\nname = \"stacked\"\nshrinkage = [1, 10]\n");
        text.push_str(match self.name {
            "synthetic-xor" => JOINT,
            _ => {
                "\n[[fusions]]\nkind = \"concat\"\nname = \"concat\"\n\
                 learner = { kind = \"ridge\", penalties = [1, 10] }\n"
            }
        });
        text
    }
}

/// Fusions that see more than a sum.
const JOINT: &str = r#"
[[fusions]]
kind = "concat"
name = "trees"
learner = { kind = "boosted", rounds = 100, learning_rate = 0.2, depth = 3, subsample = 0.5 }

[[fusions]]
kind = "net"
name = "attention"
net = { kind = "attention", width = 16, layers = 1, heads = 2, epochs = 40, lr = 0.01, modality_dropout = 0.1, encoders = { m1 = { kind = "mlp", hidden = [16] }, m2 = { kind = "mlp", hidden = [16] } } }
"#;
