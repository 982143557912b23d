use crate::lines::unpacked_head;

/// How much of a file's text is looked at, in bytes.
const HEAD: usize = 1 << 16;

/// Names of a column of genes.
const GENE_COLUMNS: [&str; 22] = [
    "gene",
    "genes",
    "gene_id",
    "geneid",
    "gene_name",
    "gene_names",
    "genename",
    "gene_symbol",
    "genesymbol",
    "gene symbol",
    "gene name",
    "gene id",
    "hugo_symbol",
    "hgnc_symbol",
    "symbol",
    "entrez_gene_id",
    "entrezgene",
    "ensembl",
    "ensembl_id",
    "ensembl_gene_id",
    "ensg",
    "external_gene_name",
];

/// Columns of tables that have a line for each gene and are about no sample: tests, lengths, places.
const STATISTICS: [&str; 30] = [
    "logfc",
    "log2fc",
    "log2foldchange",
    "foldchange",
    "fold_change",
    "fc",
    "lfcse",
    "stat",
    "t",
    "z",
    "zscore",
    "b",
    "basemean",
    "aveexpr",
    "logcpm",
    "pval",
    "pvalue",
    "p_value",
    "p.value",
    "padj",
    "adj.p.val",
    "fdr",
    "qval",
    "qvalue",
    "q_value",
    "score",
    "rank",
    "length",
    "start",
    "end",
];

/// Genes that stand early in matrices ordered by name or by place, or that nearly all have: a column
/// without a name that holds one of them is of genes and not of patients.
const LANDMARKS: [&str; 24] = [
    "A1BG", "A1CF", "A2M", "A2ML1", "A4GALT", "A4GNT", "AAAS", "AACS", "AADAC", "AAK1", "AARS", "ABCA1",
    "ACTB", "DDX11L1", "DPM1", "EGFR", "GAPDH", "OR4F5", "SAMD11", "SCYL3", "TNMD", "TP53", "TSPAN6",
    "WASH7P",
];

/// Whether a file that begins with `head` is an expression matrix. To see a line of names with many
/// samples and one gene, `head` should hold 64 KiB.
///
/// GCT says so itself. A TSV is taken for a matrix only where it is unmistakable: the first column is
/// called after genes, or has no name and holds genes that are well known; all other cells are
/// numbers; and no column is a statistic.
pub fn recognises(head: &[u8], _name: &str) -> bool {
    let text = unpacked_head(head, HEAD);
    if text.starts_with(b"#1.2") || text.starts_with(b"#1.3") {
        return matches!(text.get(4), None | Some(b'\r' | b'\n' | b'\t'));
    }
    // The last piece may be a part of a line.
    let whole = text.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
    let Ok(text) = std::str::from_utf8(&text[..whole]) else { return false };
    let mut lines = text.lines().filter(|l| !l.is_empty() && !l.starts_with('#'));
    let Some(names) = lines.next() else { return false };
    let mut names = names.split('\t').map(unquoted);
    let first = names.next().unwrap_or_default();
    let named = is_gene_column(first);
    if !named && !first.is_empty() {
        return false;
    }
    let names: Vec<&str> = names.collect();
    let skip = names.iter().take_while(|n| is_gene_column(n)).count();
    let of_samples = |n: &&str| !n.is_empty() && !STATISTICS.contains(&n.to_lowercase().as_str());
    if names.len() == skip || !names[skip..].iter().all(of_samples) {
        return false;
    }
    let (mut rows, mut known) = (0, named);
    for line in lines {
        let mut cells = line.split('\t').map(unquoted);
        let gene = cells.next().unwrap_or_default();
        let cells: Vec<&str> = cells.collect();
        let number = |c: &&str| matches!(*c, "" | "NA" | "NaN") || c.parse::<f64>().is_ok();
        if cells.len() != names.len() || !is_gene(gene, named) || !cells[skip..].iter().all(number) {
            return false;
        }
        known |= is_ensembl(gene) || LANDMARKS.contains(&gene);
        rows += 1;
    }
    known && rows > 0
}

/// Whether a column of that name holds genes.
pub(super) fn is_gene_column(name: &str) -> bool {
    GENE_COLUMNS.contains(&name.to_lowercase().as_str())
}

/// A cell without the quotes that R writes around it.
pub(super) fn unquoted(cell: &str) -> &str {
    let cell = cell.trim();
    cell.strip_prefix('"').and_then(|c| c.strip_suffix('"')).unwrap_or(cell)
}

/// Whether it is a gene of Ensembl, of any species, with or without a version: `ENSG00000141510.17`.
pub(super) fn is_ensembl(gene: &str) -> bool {
    let (gene, version) = gene.split_once('.').unwrap_or((gene, "1"));
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let Some((species, number)) =
        gene.strip_prefix("ENS").and_then(|g| g.split_at_checked(g.len().max(11) - 11))
    else {
        return false;
    };
    let species = species.strip_suffix('G');
    species.is_some_and(|s| s.bytes().all(|b| b.is_ascii_uppercase()))
        && number.len() == 11
        && digits(number)
        && digits(version.trim_end_matches("_PAR_Y"))
}

/// Whether it is written as a gene's symbol is: a letter, then letters, digits and few signs.
pub(super) fn is_symbol(gene: &str) -> bool {
    let sign = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'@' | b'/' | b':');
    gene.len() <= 40 && gene.starts_with(|c: char| c.is_ascii_alphabetic()) && gene.bytes().all(sign)
}

/// Whether a value is a gene; a number (of Entrez) only where the column says that it holds genes.
fn is_gene(gene: &str, named: bool) -> bool {
    is_symbol(gene) || (named && !gene.is_empty() && gene.bytes().all(|b| b.is_ascii_digit()))
}
