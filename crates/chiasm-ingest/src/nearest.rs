/// The candidate most like `wanted`, if any is like it at all; the first by name among equals.
pub(crate) fn nearest(wanted: &str, candidates: impl IntoIterator<Item = String>) -> Option<String> {
    let wanted = wanted.to_lowercase();
    let mut candidates: Vec<String> = candidates.into_iter().collect();
    candidates.sort();
    let mut best: Option<(f64, String)> = None;
    for candidate in candidates {
        let likeness = strsim::normalized_damerau_levenshtein(&wanted, &candidate.to_lowercase());
        if likeness >= 0.4 && best.as_ref().is_none_or(|(b, _)| likeness > *b) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefers_the_likest_and_leaves_strangers_out() {
        let names = || ["blood.csv", "Clinical.csv", "targets.csv"].map(str::to_owned);
        assert_eq!(nearest("clincal.csv", names()).as_deref(), Some("Clinical.csv"));
        assert_eq!(nearest("zzzzzzzzzzzzzzzzzzzz", names()), None);
    }
}
