use super::layout::Layout;
use super::recognise::{is_ensembl, is_symbol};
use super::rows::{Part, Row, Seen, rows};
use crate::Error;
use crate::asset::whole_file;
use crate::feed::{Entry, Feed, Rejected, Sink, SinkError, Source};
use chiasm_linkage::{IdentifierKind, Identity};
use chiasm_record::{AssetId, Code, Event, Finding, Modality, Times};
use std::ops::Range;

/// Genes of one entry, at most.
const GENES: usize = 1 << 16;
/// Values that are held at once.
const VALUES: usize = 8 << 20;
/// Bytes of the lines about samples that are held at once.
const METADATA: usize = 16 << 20;

/// Hands over the samples of `source`.
///
/// The first entry is about nobody: it holds the file as an asset, and what is doubtful in it. Then there
/// is one entry for each sample (for each 65,536 genes of it, where there are more). An event is one value
/// that is there: code `ENSEMBL|ENSG00000141510.17`, `SYMBOL|TP53`, `ENTREZ|7157` or, for anything else,
/// `FEATURE|1007_s_at`; the gene's second name is the attribute `name`. A line about the samples (GCT
/// 1.3) is an event `GCT|name` with the cell as its text. The specimen is the sample's name, and the file
/// is the events' asset only where it has one sample.
///
/// A line with a fault is rejected as a whole. About 150 MB are held at most; a matrix of more than
/// 8 million values is gone through several times.
///
/// # Errors
/// [`Error::Io`] and [`Error::MissingFile`] where it cannot be opened, [`Error::Sink`] where the sink
/// cannot keep an entry.
pub fn read(source: &Source, feed: &Feed, sink: &mut dyn Sink) -> Result<(), Error> {
    let failed = |e: SinkError| Error::Sink { place: source.origin.clone(), source: e };
    let asset = whole_file(source, "text/tab-separated-values")?;
    let id = asset.id;
    let (mut genes, mut bad, mut twice, mut seen) = (0u64, 0u64, 0usize, Seen::default());
    let mut metadata = 0;
    let layout = rows(source, |_, part| {
        match part {
            Part::Metadata(_, cells) => metadata += cells.len(),
            Part::Row(row) => {
                genes += 1;
                twice += usize::from(!seen.first(row.gene));
            }
            Part::Broken(broken) => {
                bad += 1;
                sink.reject(broken.rejected()).map_err(failed)?;
            }
        }
        Ok(())
    })?;
    drop(seen);
    let Some(layout) = layout else { return Ok(()) };
    let key = blake3::Hasher::new().update(b"file").update(id.bytes()).finalize();
    let mut file = Entry::of(*key.as_bytes(), "", None, Vec::new());
    file.assets.push(asset);
    for (column, rule, message) in layout.sample_faults() {
        let place = format!("line {}, column {column}", layout.line);
        if layout.samples[column - 1 - layout.skip].is_empty() {
            let (rule, message) = (rule.to_owned(), message.to_owned());
            sink.reject(Rejected { place, offset: None, rule, message, bytes: None }).map_err(failed)?;
        } else {
            file.findings.push(Finding::new(place, message, 1));
        }
    }
    file.findings
        .extend(layout.size_faults(genes + bad).into_iter().map(|(_, m)| Finding::new("line 2", m, 1)));
    if twice > 0 {
        file.findings.push(Finding::new("column 1", "a gene stands twice", twice));
    }
    if metadata > METADATA {
        let message = "the lines about samples are too long to be read (16 MiB)";
        file.findings.push(Finding::new("samples", message, layout.metadata));
    }
    sink.entry(file).map_err(failed)?;

    let held = usize::try_from(genes).unwrap_or(usize::MAX).clamp(1, GENES);
    let width = (VALUES / held).max(1);
    let asset = (layout.samples.len() == 1).then_some(id);
    for first in (0..layout.samples.len()).step_by(width) {
        let samples = first..layout.samples.len().min(first + width);
        let mut block = Block::new(samples, asset, metadata <= METADATA);
        rows(source, |layout, part| {
            match part {
                Part::Metadata(name, cells) => block.metadata(name, cells),
                Part::Row(row) => {
                    block.row(&row);
                    if block.genes.len() == GENES {
                        block.flush(layout, feed, sink).map_err(failed)?;
                    }
                }
                Part::Broken(_) => {}
            }
            Ok(())
        })?;
        block.flush(&layout, feed, sink).map_err(failed)?;
    }
    Ok(())
}

/// Some samples, with the genes read since the last were handed over.
struct Block {
    samples: Range<usize>,
    asset: Option<AssetId>,
    with_metadata: bool,
    genes: Vec<(Code, Option<String>)>,
    /// Gene by gene, all samples of the block; NaN where there is none.
    values: Vec<f64>,
    /// Of each line about the samples: its name and its cells.
    metadata: Vec<(String, String)>,
    before: usize,
}

impl Block {
    fn new(samples: Range<usize>, asset: Option<AssetId>, with_metadata: bool) -> Self {
        let (genes, values, metadata) = (Vec::new(), Vec::new(), Vec::new());
        Self { samples, asset, with_metadata, genes, values, metadata, before: 0 }
    }

    fn metadata(&mut self, name: &str, cells: &str) {
        if self.with_metadata && name.len() <= 256 {
            self.metadata.push((name.to_owned(), cells.to_owned()));
        }
    }

    fn row(&mut self, row: &Row<'_>) {
        let system = match row.gene {
            gene if is_ensembl(gene) => "ENSEMBL",
            gene if is_symbol(gene) => "SYMBOL",
            gene if gene.bytes().all(|b| b.is_ascii_digit()) => "ENTREZ",
            _ => "FEATURE",
        };
        self.genes.push((Code::new(system, row.gene), row.name.map(str::to_owned)));
        let values = row.values().skip(self.samples.start).take(self.samples.len());
        self.values.extend(values.map(|v| v.flatten().unwrap_or(f64::NAN)));
    }

    /// Hands over what was read since the last time.
    fn flush(&mut self, layout: &Layout, feed: &Feed, sink: &mut dyn Sink) -> Result<(), SinkError> {
        if self.genes.is_empty() && self.before > 0 {
            return Ok(());
        }
        let modality = Modality::new("genomics");
        let mut ids = blake3::Hasher::new();
        for (code, name) in &self.genes {
            let name = name.as_deref().unwrap_or_default();
            ids.update(code.as_str().as_bytes()).update(b"\t").update(name.as_bytes()).update(b"\n");
        }
        let width = self.samples.len();
        let start = self.samples.start;
        let mut metadata: Vec<_> =
            self.metadata.iter().map(|(label, cells)| (label, cells.split('\t').skip(start))).collect();
        for (at, sample) in self.samples.clone().enumerate() {
            let cells: Vec<_> = metadata.iter_mut().map(|(label, cells)| (*label, cells.next())).collect();
            let name = &layout.samples[sample];
            if name.is_empty() {
                continue;
            }
            let mut hasher = ids.clone();
            hasher.update(&(self.genes.len() as u64).to_le_bytes()).update(name.as_bytes());
            let new = |code: Code| {
                let mut event = Event::new(Times::default(), code, modality.clone());
                (event.specimen, event.asset) = (Some(name.clone()), self.asset);
                event
            };
            let mut events = Vec::new();
            for (label, cell) in cells {
                let cell = cell.map(str::trim).filter(|c| !matches!(*c, "" | "NA" | "na" | "-666"));
                let Some(cell) = cell else { continue };
                hasher.update(b"\n").update(label.as_bytes()).update(b"\t").update(cell.as_bytes());
                let mut event = new(Code::new("GCT", label));
                event.text = Some(cell.to_owned());
                events.push(event);
            }
            for ((code, second), values) in self.genes.iter().zip(self.values.chunks_exact(width)) {
                let value = values[at];
                hasher.update(&value.to_bits().to_le_bytes());
                if !value.is_nan() {
                    let mut event = new(code.clone()).with("name", second.as_deref());
                    event.value = Some(value);
                    events.push(event);
                }
            }
            let identity =
                Identity::of_key(format!("{}|sample", feed.site), name.as_str(), IdentifierKind::Other);
            let column = layout.skip + sample + 1;
            let (from, to) = (self.before + 1, self.before + self.genes.len());
            let place = format!("column {column}, genes {from}-{to}");
            sink.entry(Entry::of(*hasher.finalize().as_bytes(), place, Some(identity), events))?;
        }
        self.before += self.genes.len();
        self.genes.clear();
        self.values.clear();
        // Said once.
        self.metadata.clear();
        Ok(())
    }
}
