//! A modality of vectors.

use super::Tables;
use crate::site::BagBinding;
use crate::{BagSchema, Error};
use chiasm_record::{Bag, Finding, SubjectId};
use std::collections::HashMap;

/// The vectors of `subjects`.
pub(super) fn read(
    place: &str,
    binding: &BagBinding,
    tables: &Tables<'_>,
    subjects: &[SubjectId],
    trained: Option<&BagSchema>,
    findings: &mut Vec<Finding>,
) -> Result<(BagSchema, Bag), Error> {
    let slots: Vec<String> = binding.slots.iter().map(|s| s.name.clone()).collect();
    let changed =
        |expected: String, found: String| Error::Changed { place: place.to_owned(), expected, found };
    if let Some(trained) = trained.filter(|t| t.slots != slots) {
        return Err(changed(
            format!("slots {}", trained.slots.join(", ")),
            format!("slots {}", slots.join(", ")),
        ));
    }
    let row_of: HashMap<&str, usize> = subjects.iter().enumerate().map(|(i, s)| (s.as_str(), i)).collect();
    let mut found = vec![Vec::new(); subjects.len()];
    let mut width = trained.map(|t| t.width);
    for (at, slot) in binding.slots.iter().enumerate() {
        let Some(vectors) = tables.sources.vectors.get(&slot.table) else {
            if trained.is_some() {
                continue;
            }
            return Err(tables.missing_file(&slot.table));
        };
        if vectors.width == 0 || vectors.width % binding.tiles != 0 {
            let expected = format!("vectors that divide into {} tiles", binding.tiles);
            return Err(Error::Changed {
                place: vectors.origin.clone(),
                expected,
                found: format!("{} numbers", vectors.width),
            });
        }
        let tile = vectors.width / binding.tiles;
        let expected = *width.get_or_insert(tile);
        if expected != tile {
            let place = vectors.origin.clone();
            return Err(Error::Changed {
                place,
                expected: format!("tiles of {expected}"),
                found: format!("tiles of {tile}"),
            });
        }
        let mut empty = 0;
        for (i, key) in vectors.keys.iter().enumerate() {
            let Some(&row) = row_of.get(key.as_str()) else { continue };
            let tiles = tiles(vectors.row(i), binding.tiles);
            empty += usize::from(tiles.is_empty());
            found[row].extend(tiles.into_iter().map(|tile| (at, tile.to_vec())));
        }
        if empty > 0 {
            findings.push(Finding::new(
                vectors.origin.clone(),
                "a vector of zeros only: taken as absent",
                empty,
            ));
        }
    }
    let width = width.unwrap_or(0);
    Ok((BagSchema { slots: slots.clone(), width }, Bag { slots, width, vectors: found }))
}

/// Cuts a vector into `count` tiles, or into as many as stand centred between zeros.
fn tiles(vector: &[f32], count: usize) -> Vec<&[f32]> {
    let tile = vector.len() / count;
    for held in 0..=count {
        let (pad, odd) = ((vector.len() - held * tile) / 2, (vector.len() - held * tile) % 2);
        let (before, rest) = vector.split_at(pad);
        let (centre, after) = rest.split_at((held * tile).min(rest.len()));
        if odd == 0 && before.iter().chain(after).all(|&x| x == 0.0) {
            return centre.chunks_exact(tile).filter(|t| t.iter().any(|&x| x != 0.0)).collect();
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_side_by_side_or_centred() {
        assert_eq!(tiles(&[1.0, 2.0, 3.0, 4.0], 2), [&[1.0, 2.0], &[3.0, 4.0]]);
        assert_eq!(tiles(&[0.0, 2.0, 3.0, 0.0], 2), [&[2.0, 3.0]]);
        assert_eq!(tiles(&[0.0, 2.0, 3.0, 4.0], 2), [&[0.0, 2.0], &[3.0, 4.0]]);
        assert!(tiles(&[0.0; 4], 2).is_empty());
        assert_eq!(tiles(&[1.0, 0.0], 1), [&[1.0, 0.0]]);
        assert_eq!(tiles(&[0.0, 0.0, 1.0, 2.0, 0.0, 0.0], 3), [&[1.0, 2.0]]);
    }
}
