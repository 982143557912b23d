//! One short name for each code system that everybody knows, whatever a format calls it: FHIR a URI, CDA and
//! HL7 v2 an OID, HL7 v2 also a name of its table 0396, OMOP and MEDS a vocabulary's name, DICOM a designator.
//!
//! # Source
//! HL7 Terminology (external code systems), HL7 table 0396, DICOM PS3.16 chapter 8, OHDSI vocabularies.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

/// The system's short name, first; then its URI, its OID and the names that formats use for it.
const SYSTEMS: &[(&str, &[&str])] = &[
    ("LOINC", &["http://loinc.org", "2.16.840.1.113883.6.1", "LN", "LOINC"]),
    (
        "SNOMED",
        &[
            "http://snomed.info/sct",
            "2.16.840.1.113883.6.96",
            "SCT",
            "SNM",
            "SNOMED",
            "SNOMED-CT",
            "SNOMEDCT",
            "SNOMEDCT_US",
            "SNOMED CT",
        ],
    ),
    (
        "RxNorm",
        &[
            "http://www.nlm.nih.gov/research/umls/rxnorm",
            "2.16.840.1.113883.6.88",
            "RXNORM",
            "RxNorm Extension",
        ],
    ),
    (
        "ICD10CM",
        &["http://hl7.org/fhir/sid/icd-10-cm", "2.16.840.1.113883.6.90", "I10C", "ICD10CM", "ICD-10-CM"],
    ),
    (
        "ICD10PCS",
        &[
            "http://www.cms.gov/Medicare/Coding/ICD10",
            "http://hl7.org/fhir/sid/icd-10-pcs",
            "2.16.840.1.113883.6.4",
            "I10P",
            "ICD10PCS",
            "ICD-10-PCS",
        ],
    ),
    ("ICD10GM", &["http://fhir.de/CodeSystem/bfarm/icd-10-gm", "1.2.276.0.76.5.409", "ICD10GM", "I10G"]),
    ("ICD10", &["http://hl7.org/fhir/sid/icd-10", "2.16.840.1.113883.6.3", "I10", "ICD10", "ICD-10"]),
    (
        "ICD9CM",
        &[
            "http://hl7.org/fhir/sid/icd-9-cm",
            "http://terminology.hl7.org/CodeSystem/icd9",
            "2.16.840.1.113883.6.103",
            "I9C",
            "I9CDX",
            "ICD9CM",
            "ICD-9-CM",
        ],
    ),
    ("ICD9PCS", &["2.16.840.1.113883.6.104", "I9CP", "ICD9PROC"]),
    ("ICD9", &["2.16.840.1.113883.6.42", "I9", "ICD9"]),
    ("ICD11", &["http://id.who.int/icd/release/11/mms", "http://hl7.org/fhir/sid/icd-11", "ICD11"]),
    (
        "ICDO3",
        &[
            "http://terminology.hl7.org/CodeSystem/icd-o-3",
            "http://hl7.org/fhir/sid/icd-o-3",
            "2.16.840.1.113883.6.43.1",
            "ICDO3",
            "ICDO",
            "ICD-O-3",
        ],
    ),
    (
        "CPT",
        &["http://www.ama-assn.org/go/cpt", "2.16.840.1.113883.6.12", "C4", "CPT", "CPT4", "CPT-4", "CPTM"],
    ),
    (
        "HCPCS",
        &[
            "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
            "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
            "2.16.840.1.113883.6.285",
            "HCPCS",
            "HPC",
        ],
    ),
    ("NDC", &["http://hl7.org/fhir/sid/ndc", "2.16.840.1.113883.6.69", "NDC"]),
    ("ATC", &["http://www.whocc.no/atc", "2.16.840.1.113883.6.73", "ATC", "W1", "W2"]),
    ("CVX", &["http://hl7.org/fhir/sid/cvx", "2.16.840.1.113883.12.292", "CVX"]),
    ("MVX", &["http://hl7.org/fhir/sid/mvx", "2.16.840.1.113883.12.227", "MVX"]),
    ("UNII", &["http://fdasis.nlm.nih.gov", "2.16.840.1.113883.4.9", "UNII"]),
    ("NDFRT", &["http://hl7.org/fhir/ndfrt", "2.16.840.1.113883.3.26.1.5", "NDFRT"]),
    ("MEDRT", &["http://va.gov/terminology/medrt", "2.16.840.1.113883.6.345", "MEDRT", "MED-RT"]),
    ("DMD", &["https://dmd.nhs.uk", "dm+d"]),
    ("OPCS4", &["https://fhir.hl7.org.uk/CodeSystem/OPCS-4", "2.16.826.0.1.285.0.5", "OPCS4"]),
    ("UCUM", &["http://unitsofmeasure.org", "2.16.840.1.113883.6.8", "UCUM"]),
    (
        "HPO",
        &[
            "http://human-phenotype-ontology.org",
            "http://purl.obolibrary.org/obo/hp.owl",
            "http://purl.obolibrary.org/obo/hp.fhir",
            "2.16.840.1.113883.6.339",
            "HP",
            "HPO",
        ],
    ),
    ("OMIM", &["http://www.omim.org", "2.16.840.1.113883.6.174", "OMIM", "MIM"]),
    (
        "ORPHA",
        &["http://www.orpha.net", "2.16.840.1.113883.2.4.3.46.10.4.1", "ORPHA", "ORPHANET", "Orphanet"],
    ),
    ("MONDO", &["http://purl.obolibrary.org/obo/mondo.owl", "MONDO"]),
    (
        "HGNC",
        &[
            "http://www.genenames.org",
            "http://www.genenames.org/geneId",
            "2.16.840.1.113883.6.281",
            "HGNC",
            "HGNC-Symb",
        ],
    ),
    ("HGVS", &["http://varnomen.hgvs.org", "2.16.840.1.113883.6.282", "HGVS"]),
    ("ENSEMBL", &["http://www.ensembl.org", "2.16.840.1.113883.6.300", "ENSEMBL"]),
    ("NCBIGENE", &["http://www.ncbi.nlm.nih.gov/gene", "NCBIGene", "NCBIGENE"]),
    (
        "REFSEQ",
        &["http://www.ncbi.nlm.nih.gov/refseq", "http://www.ncbi.nlm.nih.gov/nuccore", "REFSEQ", "RefSeq"],
    ),
    ("DBSNP", &["http://www.ncbi.nlm.nih.gov/projects/SNP", "2.16.840.1.113883.6.284", "DBSNP", "dbSNP"]),
    ("CLINVAR", &["http://www.ncbi.nlm.nih.gov/clinvar", "2.16.840.1.113883.6.319", "CLINVAR", "ClinVar"]),
    ("COSMIC", &["http://cancer.sanger.ac.uk/cancergenome/projects/cosmic", "COSMIC"]),
    ("SO", &["http://www.sequenceontology.org", "2.16.840.1.113883.6.341", "SO"]),
    ("PHARMGKB", &["http://www.pharmgkb.org", "PHARMGKB"]),
    (
        "NCIT",
        &[
            "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl",
            "http://ncithesaurus-stage.nci.nih.gov",
            "2.16.840.1.113883.3.26.1.1",
            "NCIT",
            "NCIt",
            "NCI",
        ],
    ),
    ("UBERON", &["http://uberon.org", "UBERON"]),
    (
        "DCM",
        &["http://dicom.nema.org/resources/ontology/DCM", "1.2.840.10008.2.16.4", "DCM", "DICOM", "99DCM"],
    ),
    (
        "RADLEX",
        &["http://www.radlex.org", "http://radlex.org", "2.16.840.1.113883.6.256", "RADLEX", "RadLex"],
    ),
    ("IEEE11073", &["urn:iso:std:iso:11073:10101", "2.16.840.1.113883.6.24", "MDC"]),
    ("UMLS", &["http://www.nlm.nih.gov/research/umls", "2.16.840.1.113883.6.86", "UMLS", "UML"]),
    ("MESH", &["http://id.nlm.nih.gov/mesh", "2.16.840.1.113883.6.177", "MESH", "MeSH"]),
    ("ICPC2", &["http://hl7.org/fhir/sid/icpc-2", "2.16.840.1.113883.6.139", "ICPC2", "ICPC-2"]),
    ("ICF", &["http://hl7.org/fhir/sid/icf", "2.16.840.1.113883.6.254", "ICF"]),
    ("CDT", &["http://www.ada.org/cdt", "2.16.840.1.113883.6.13", "CDT", "CD2"]),
    ("CDCREC", &["urn:oid:2.16.840.1.113883.6.238", "2.16.840.1.113883.6.238", "CDCREC"]),
];

/// LOINC's codes of vital signs, as FHIR's profiles have them.
pub(crate) const VITALS: [&str; 17] = [
    "85353-1", "9279-1", "8867-4", "2708-6", "59408-5", "8310-5", "8302-2", "9843-4", "29463-7", "39156-5",
    "85354-9", "8480-6", "8462-4", "8287-5", "8478-0", "3150-6", "8289-1",
];

/// The short name of a code system that is called `name` (a URI, an OID with or without `urn:oid:`, a name in
/// HL7 v2, OMOP, MEDS or DICOM); the name itself where nothing is known of it.
///
/// URIs and OIDs compare as they stand; names without regard to case.
pub fn system(name: &str) -> Cow<'_, str> {
    let plain = name.trim();
    let plain = plain.strip_prefix("urn:oid:").unwrap_or(plain);
    Cow::Borrowed(known(plain).unwrap_or(plain))
}

/// The short name of a code system that everybody knows; `None` for any other.
pub fn known(name: &str) -> Option<&'static str> {
    let plain = name.trim();
    let plain = plain.strip_prefix("urn:oid:").unwrap_or(plain);
    let uri = plain.trim_end_matches('/').split('|').next().unwrap_or(plain);
    // Editions and versions of SNOMED CT are URIs below its own.
    if uri.starts_with("http://snomed.info/sct/") {
        return Some("SNOMED");
    }
    let exact = PLACES.get(uri).copied();
    let named = if uri.contains([':', '.']) { None } else { PLACES.get(&*uri.to_ascii_lowercase()).copied() };
    let first = exact.into_iter().chain(named).min()?;
    SYSTEMS.get(first).map(|(short, _)| *short)
}

/// Where each name first stands in [`SYSTEMS`], as it is written; one that is no address in small letters, too.
static PLACES: LazyLock<HashMap<String, usize>> = LazyLock::new(|| {
    let mut places = HashMap::new();
    for (place, (_, names)) in SYSTEMS.iter().enumerate() {
        for name in *names {
            places.entry((*name).to_owned()).or_insert(place);
            if !name.contains([':', '.']) {
                places.entry(name.to_ascii_lowercase()).or_insert(place);
            }
        }
    }
    places
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_calls_it_by_the_same_name() {
        for (name, short) in [
            ("http://loinc.org", "LOINC"),
            ("http://loinc.org/", "LOINC"),
            ("urn:oid:2.16.840.1.113883.6.1", "LOINC"),
            ("LN", "LOINC"),
            ("http://snomed.info/sct", "SNOMED"),
            ("http://snomed.info/sct/900000000000207008", "SNOMED"),
            ("http://snomed.info/sct|http://snomed.info/sct/731000124108", "SNOMED"),
            ("SCT", "SNOMED"),
            ("2.16.840.1.113883.6.96", "SNOMED"),
            ("RXNORM", "RxNorm"),
            ("RxNorm", "RxNorm"),
            ("I10", "ICD10"),
            ("I9C", "ICD9CM"),
            ("ICD10CM", "ICD10CM"),
            ("http://hl7.org/fhir/sid/icd-10-cm", "ICD10CM"),
            ("http://unitsofmeasure.org", "UCUM"),
            ("http://dicom.nema.org/resources/ontology/DCM", "DCM"),
            ("HP", "HPO"),
            (" 99LAB ", "99LAB"),
            ("http://hospital.example/lab", "http://hospital.example/lab"),
            ("urn:oid:1.2.3", "1.2.3"),
            ("", ""),
        ] {
            assert_eq!(system(name), short, "{name}");
        }
    }

    #[test]
    fn no_name_stands_for_two_systems() {
        let mut seen = std::collections::HashSet::new();
        for name in SYSTEMS.iter().flat_map(|(_, names)| *names) {
            let unique = seen.insert(*name);
            assert!(unique, "{name}");
        }
        assert!(SYSTEMS.iter().all(|(short, _)| system(short) == *short));
    }
}
