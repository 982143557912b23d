//! A block for each modality that there is.

use super::{Mode, Tables, bag, grid};
use crate::{CohortSpec, ContentSchema, Error, FeatureSchema, ModalitySchema};
use chiasm_record::{Block, Content, Finding, Modality, SubjectId};

/// Blocks, with what they hold.
pub(super) struct Evidence {
    pub(super) blocks: Vec<Block>,
    pub(super) schema: Vec<ModalitySchema>,
}

/// Reads the modalities that `spec` wants; in prediction, those of the schema.
pub(super) fn read(
    spec: &CohortSpec,
    tables: &Tables<'_>,
    subjects: &[SubjectId],
    mode: Mode<'_>,
    findings: &mut Vec<Finding>,
) -> Result<Evidence, Error> {
    let mut evidence = Evidence { blocks: Vec::new(), schema: Vec::new() };
    match mode {
        Mode::Train => {
            for wanted in &spec.modalities {
                let (block, schema) = modality(&wanted.name, None, tables, subjects, findings)?;
                if block.present.iter().any(|&p| p) {
                    evidence.blocks.push(block);
                    evidence.schema.push(schema);
                    continue;
                }
                let reason = "the source has no value of it for any subject with a label";
                if wanted.required {
                    return Err(Error::Unavailable {
                        modality: wanted.name.clone(),
                        reason: reason.to_owned(),
                    });
                }
                findings.push(Finding::new(
                    format!("modality `{}`", wanted.name),
                    format!("not available: {reason}"),
                    1,
                ));
            }
        }
        Mode::Predict(trained) => {
            for known in &trained.modalities {
                let name = known.modality.as_str();
                let (block, schema) = modality(name, Some(&known.content), tables, subjects, findings)?;
                evidence.blocks.push(block);
                evidence.schema.push(schema);
            }
        }
    }
    Ok(evidence)
}

fn modality(
    name: &str,
    trained: Option<&ContentSchema>,
    tables: &Tables<'_>,
    subjects: &[SubjectId],
    findings: &mut Vec<Finding>,
) -> Result<(Block, ModalitySchema), Error> {
    let place = format!("modality `{name}`");
    let binding = tables.site.modality(name)?;
    let changed = |expected: &str, found: &str| Error::Changed {
        place: place.clone(),
        expected: expected.to_owned(),
        found: found.to_owned(),
    };
    let (present, content, schema) = if let Some(binding) = &binding.bag {
        let trained = match trained {
            Some(ContentSchema::Table(_)) => return Err(changed("columns", "a bag of vectors")),
            Some(ContentSchema::Bag(bag)) => Some(bag),
            None => None,
        };
        let (schema, bag) = bag::read(&place, binding, tables, subjects, trained, findings)?;
        let present = bag.vectors.iter().map(|i| !i.is_empty()).collect();
        (present, Content::Bag(bag), ContentSchema::Bag(schema))
    } else {
        let trained: Option<&[FeatureSchema]> = match trained {
            Some(ContentSchema::Bag(_)) => return Err(changed("a bag of vectors", "columns")),
            Some(ContentSchema::Table(features)) => Some(features),
            None => None,
        };
        let (schema, grid) = grid::read(&place, &binding.columns, tables, subjects, trained, findings)?;
        (grid::presence(&grid), Content::Table(grid), ContentSchema::Table(schema))
    };
    let modality = Modality::new(name);
    Ok((Block { modality: modality.clone(), present, content }, ModalitySchema { modality, content: schema }))
}
