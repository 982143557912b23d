use super::header::Header;
use super::packed::Values;
use super::record::Record;

/// What INFO says of one alternative allele: gene, consequence, names by HGVS.
///
/// Read from snpEff's ANN, VEP's CSQ (whose parts the header names), and plain GENE keys. Of several
/// annotations the first that is of the allele counts: writers put the most severe first.
pub(super) fn of(record: &Record<'_>, alternative: &[u8], header: &Header) -> Vec<(&'static str, String)> {
    let [.., ann, csq, gene, annovar, clinvar] = record.kept;
    for (key, values) in [(&b"ANN"[..], ann), (b"CSQ", csq)] {
        let Some(value) = values.map(Values::written) else { continue };
        let names = parts(header.annotations.get(key).map(String::as_str), key);
        let alleles: Vec<&[u8]> = value.split(|&b| b == b',').collect();
        let minimal = minimal(record.reference, alternative);
        let fits = |a: &&&[u8]| {
            let allele = a.split(|&b| b == b'|').next().unwrap_or_default();
            allele == alternative || allele == minimal
        };
        let chosen = alleles.iter().find(fits).or_else(|| alleles.first().filter(|_| record.count == 1));
        let Some(chosen) = chosen else { continue };
        let mut found = Vec::new();
        for (name, value) in names.iter().zip(chosen.split(|&b| b == b'|')) {
            let attribute = match name.to_ascii_lowercase().replace(['.', '_', ' '], "").as_str() {
                "symbol" | "genename" => "gene",
                "gene" | "geneid" => "gene_id",
                "consequence" | "annotation" => "consequence",
                "impact" | "annotationimpact" => "impact",
                "feature" | "featureid" => "transcript",
                "hgvsc" => "hgvs_c",
                "hgvsp" => "hgvs_p",
                _ => continue,
            };
            if !value.is_empty() {
                found.push((attribute, decoded(value)));
            }
        }
        return found;
    }
    for (symbols, values) in [(false, gene), (false, annovar), (true, clinvar)] {
        if let Some(value) = values.map(Values::written).filter(|v| !v.is_empty() && **v != *b".") {
            // GENEINFO is SYMBOL:number, bars between.
            let symbol = value.split(|&b| matches!(b, b':' | b'|')).next().unwrap_or(&value);
            return vec![("gene", decoded(if symbols { symbol } else { &value }))];
        }
    }
    Vec::new()
}

/// The names of the parts of an annotation, from the header's Description.
fn parts(description: Option<&str>, key: &[u8]) -> Vec<String> {
    let list = description.and_then(|d| match d.split_once("Format:") {
        Some((_, list)) => Some(list),
        None => d.split_once(':').map(|(_, list)| list).filter(|l| l.contains('|')),
    });
    let standard = if key == b"ANN" {
        "Allele|Annotation|Annotation_Impact|Gene_Name|Gene_ID|Feature_Type|Feature_ID|Transcript_BioType|Rank|HGVS.c|HGVS.p"
    } else {
        "Allele|Consequence|IMPACT|SYMBOL|Gene|Feature_type|Feature|BIOTYPE|EXON|INTRON|HGVSc|HGVSp"
    };
    let trim = |c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '\\');
    list.unwrap_or(standard).split('|').map(|name| name.trim_matches(trim).to_owned()).collect()
}

/// VEP's name of an allele: without the base that it shares with the reference, `-` for nothing.
fn minimal<'a>(reference: &[u8], alternative: &'a [u8]) -> &'a [u8] {
    if reference.len() == alternative.len() || reference.first() != alternative.first() {
        return alternative;
    }
    match &alternative[1..] {
        [] => b"-",
        rest => rest,
    }
}

/// Text with its percent signs resolved.
pub(super) fn decoded(text: &[u8]) -> String {
    if !text.contains(&b'%') {
        return String::from_utf8_lossy(text).into_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut i = 0;
    while i < text.len() {
        let code = text.get(i + 1..i + 3).and_then(|c| std::str::from_utf8(c).ok());
        let byte = code.filter(|c| !c.starts_with('+')).and_then(|c| u8::from_str_radix(c, 16).ok());
        match byte {
            Some(byte) if text[i] == b'%' => {
                bytes.push(byte);
                i += 3;
            }
            _ => {
                bytes.push(text[i]);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_named_by_the_header() {
        let named =
            parts(Some("Consequence annotations from Ensembl VEP. Format: Allele|SYMBOL|HGVSp"), b"CSQ");
        assert_eq!(named, ["Allele", "SYMBOL", "HGVSp"]);
        let quoted = parts(Some("Functional annotations: 'Allele | Annotation | Gene_Name '"), b"ANN");
        assert_eq!(quoted, ["Allele", "Annotation", "Gene_Name"]);
    }

    #[test]
    fn percent_signs_are_resolved_where_they_are_codes() {
        assert_eq!(decoded(b"p.Ala1%3D"), "p.Ala1=");
        assert_eq!(decoded(b"50% of%+1%"), "50% of%+1%");
    }

    #[test]
    fn vep_names_alleles_without_the_shared_base() {
        assert_eq!(
            (minimal(b"CA", b"C"), minimal(b"C", b"CAT"), minimal(b"C", b"T")),
            (&b"-"[..], &b"AT"[..], &b"T"[..])
        );
    }
}
