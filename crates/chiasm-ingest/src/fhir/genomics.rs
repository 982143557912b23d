use super::concept;
use crate::json::Json;
use chiasm_record::Event;

/// The codes of Genomics Reporting's observations: variant, haplotype, genotype, implications, overall.
const OBSERVATIONS: [&str; 9] =
    ["69548-6", "84414-2", "84413-4", "53037-8", "51963-7", "51968-6", "81247-9", "51969-4", "94076-7"];

/// What a variant's components are called, by their LOINC code.
const COMPONENTS: [(&str, &str); 24] = [
    ("48018-6", "gene"),
    ("51958-7", "transcript"),
    ("48013-7", "reference_sequence"),
    ("48004-6", "hgvs_c"),
    ("48005-3", "hgvs_p"),
    ("81290-9", "hgvs_g"),
    ("48000-4", "chromosome"),
    ("48001-2", "cytoband"),
    ("62374-4", "assembly"),
    ("81254-5", "position"),
    ("92822-6", "coordinate_system"),
    ("69547-8", "ref"),
    ("69551-0", "alt"),
    ("48002-0", "source_class"),
    ("53034-5", "allelic_state"),
    ("81258-6", "allelic_frequency"),
    ("82121-5", "read_depth"),
    ("82155-3", "copy_number"),
    ("48019-4", "dna_change_type"),
    ("48006-1", "amino_acid_change_type"),
    ("81255-2", "dbsnp"),
    ("81252-9", "variant_id"),
    ("53037-8", "significance"),
    ("81259-4", "phenotype"),
];

/// Whether an Observation is one of Genomics Reporting.
pub(super) fn is_variant(observation: &Json<'_>) -> bool {
    let Some(code) = observation.get("code") else { return false };
    OBSERVATIONS.iter().any(|o| concept::has(code, "LOINC", o))
}

/// Gives a variant's event what its components say, each under its name.
pub(super) fn attributes(observation: &Json<'_>, event: &mut Event) {
    for component in observation.each("component") {
        let Some(code) = component.get("code") else { continue };
        let named = COMPONENTS.iter().find(|(loinc, _)| concept::has(code, "LOINC", loinc));
        let Some((_, name)) = named else { continue };
        let value = component.members().iter().find(|(n, _)| n.starts_with("value"));
        let Some((_, value)) = value else { continue };
        // A gene or a change is read by its words (`BRCA1`, `c.68_69del`), its code stands beside it.
        let words = value.text_of("text").or_else(|| value.each("coding").first()?.text_of("display"));
        let text = words.map(str::to_owned).or_else(|| concept::plain(value));
        event.attributes.extend(text.map(|t| ((*name).to_owned(), t)));
        if let Some(coded) = concept::coded(value).filter(|_| value.get("coding").is_some()) {
            event.attributes.push((format!("{name}_code"), coded.main.to_string()));
        }
    }
}
