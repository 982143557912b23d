//! NPZ: a zip archive with one NumPy array of one dimension per key, all of one width.

use crate::{Budget, Error, member::plain, npy, zip};
use chiasm_record::Vectors;
use std::collections::BTreeMap;

/// The vectors in the NPZ archive `bytes`, sorted by key.
///
/// A key is often a patient's id, so messages name a member by its place in the archive, from 1.
///
/// # Errors
/// [`Error::Empty`] without members; [`Error::DuplicateMember`]; [`Error::WrongFormat`] where a member is
/// not `KEY.npy`; [`Error::Shape`] where an array is not one-dimensional or not as wide as the first;
/// [`Error::UnsupportedType`], [`Error::NotFinite`], [`Error::Damaged`]; [`Error::TooLarge`] past the budget.
pub fn parse(origin: &str, bytes: &[u8], budget: &mut Budget) -> Result<Vectors, Error> {
    let mut archive = zip::open(origin, bytes)?;
    let names = zip::names(&archive).map_err(|e| zip::damaged(origin, &e))?;
    let mut vectors: BTreeMap<String, (usize, Vec<f32>)> = BTreeMap::new();
    let mut width = None;
    for (position, name) in names.iter().enumerate() {
        let place = format!("{origin}, member {}", position + 1);
        let Some(key) = name.as_deref().and_then(npyz::npz::array_name_from_file_name) else {
            let (expected, found) = ("an array called KEY.npy", "a member of another name");
            return Err(Error::WrongFormat { place, expected, found });
        };
        let content = zip::read(&mut archive, position, &place, budget)?;
        let vector = npy::parse(&place, &content)?;
        budget.spend(size_of_val(vector.as_slice()) as u64, &place)?;
        let expected = *width.get_or_insert(vector.len());
        if vector.len() != expected {
            let (expected, found) = (format!("{expected} values as in member 1"), vector.len().to_string());
            return Err(Error::Shape { place, expected, found });
        }
        if let Some((first, _)) = vectors.insert(plain(key).to_owned(), (position + 1, vector)) {
            return Err(Error::DuplicateMember {
                place: format!("{origin}, members {first} and {}", position + 1),
            });
        }
    }
    let Some(width) = width else {
        return Err(Error::Empty { place: origin.to_owned(), expected: "one array per key" });
    };
    let mut values = Vec::with_capacity(width * vectors.len());
    let mut keys = Vec::with_capacity(vectors.len());
    for (key, (_, vector)) in vectors {
        keys.push(key);
        values.extend(vector);
    }
    Ok(Vectors { origin: origin.to_owned(), keys, width, values })
}
