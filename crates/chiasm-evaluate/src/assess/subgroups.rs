use super::judge::Judge;
use super::models::{Candidates, closed_form};
use crate::Subgroup;
use std::collections::BTreeMap;

/// The nested procedure in every part of every partition, in the partitions' order and parts by name;
/// without metrics where there are too few to judge. Subjects whose part is not known are in none.
pub(super) fn subgroups(judge: &Judge, candidates: &Candidates) -> Vec<Subgroup> {
    let mut found = Vec::new();
    for (partition, part_of) in &judge.held_out.subgroups {
        let mut parts = BTreeMap::<&str, Vec<usize>>::new();
        for (i, part) in part_of.iter().enumerate() {
            if let Some(part) = part {
                parts.entry(part).or_default().push(i);
            }
        }
        found.extend(parts.into_iter().map(|(part, rows)| Subgroup {
            partition: partition.clone(),
            part: part.to_owned(),
            n: rows.len(),
            events: judge.events(&rows),
            metrics: if judge.enough(&rows) {
                closed_form(judge, &candidates.nested.answers, &rows)
            } else {
                BTreeMap::new()
            },
        }));
    }
    found
}
