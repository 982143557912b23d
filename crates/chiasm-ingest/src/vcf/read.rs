use super::checker::{Checker, Kind};
use super::header::Header;
use super::record::Record;
use super::samples::{Format, Genotype};
use super::site::Site;
use super::{Content, Row, Rows};
use crate::Error;
use crate::asset::whole_file;
use crate::feed::{Entry, Feed, Mention, Parts, Rejected, Sink, SinkError, Source};
use crate::lines::{Line, LineEnd};
use bytes::Bytes;
use chiasm_linkage::{IdentifierKind, Identity};
use chiasm_record::{AssetId, Event, Finding, Modality, Times};
use std::borrow::Cow;
use std::collections::HashMap;

/// Records of one block, at most.
const ROWS: u64 = 4096;
/// Events that are held before a block ends early, over all samples.
const EVENTS: usize = 16_384;
/// A line that is longer is not kept with what was rejected.
const KEPT: usize = 1 << 20;

/// Hands over the variants of `source`, block by block.
///
/// The first entry is about nobody: it holds the file as an asset, and what is doubtful in its header.
/// Then, for each block of at most 4,096 records, there is one entry for each sample that carries an
/// alternative allele (in the first block, one for every sample). Without samples a block is one entry
/// about nobody.
///
/// An event is one alternative allele of one sample: code `VCF|chrom:pos:ref:alt` as written, value the
/// number of its copies, text the genotype as written, specimen the sample's name. It names the file as
/// its asset only where the file has one sample: a file of several is evidence about other people too.
///
/// # Errors
/// [`Error::Io`] and [`Error::MissingFile`] where it cannot be opened, [`Error::Sink`] where the sink
/// cannot keep an entry.
pub fn read(source: &Source, feed: &Feed, sink: &mut dyn Sink) -> Result<(), Error> {
    let mut rows = Rows::open(source)?;
    let media_type = if rows.binary() { "application/x-bcf" } else { "text/x-vcf" };
    let asset = whole_file(source, media_type)?;
    let mut checker = Checker::default();
    let mut reader = Reader::new(source, feed, asset.id, sink);
    let mut head = Some(asset);
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => break,
            Err(error) => {
                let place = format!("after line {}", rows.number());
                reader.reject(place, None, "vcf.stream", &error.to_string(), None)?;
                break;
            }
        };
        let number = row.number;
        let begun = checker.header.as_ref().is_some_and(|h| h.complete);
        let kind = checker.row(&row);
        if number == 1 && checker.faults.worst_error().is_some_and(|(rule, _)| rule == "vcf.fileformat") {
            let (rule, message) = checker.faults.worst_error().unwrap_or_default();
            return reader.reject(String::new(), Some(0), rule, message, None);
        }
        match (kind, &checker.header) {
            (Kind::Record(record), Some(header)) => {
                reader.record(&row, &record, header, &checker.format);
                if reader.full() {
                    reader.block(&checker)?;
                }
            }
            (Kind::Broken, _) => {
                let (rule, message) =
                    checker.faults.worst_error().unwrap_or(("vcf.record", "cannot be read"));
                let line = match row.content {
                    Content::Line(Line { end: LineEnd::TooLong, .. }) => None,
                    Content::Line(line) => Some(Cow::Borrowed(line.text)),
                    Content::Packed(packed) => Some(Cow::Owned(packed.line())),
                };
                let bytes = line.filter(|l| l.len() <= KEPT).map(|l| Bytes::copy_from_slice(&l));
                reader.reject(format!("line {number}"), row.offset, rule, message, bytes)?;
            }
            (_, Some(header)) if !begun => {
                reader.hash(row.bytes);
                if header.complete
                    && let Some(asset) = head.take()
                {
                    reader.begin(header, asset, &checker)?;
                }
            }
            _ => {}
        }
    }
    if head.is_some() {
        checker.end();
        let (rule, message) = checker.faults.worst_error().unwrap_or(("vcf.header", "cannot be read"));
        return reader.reject(String::new(), Some(0), rule, message, None);
    }
    reader.block(&checker)
}

/// Bytes that the attributes of a sample take, mostly.
const ROOM: usize = 48;

struct Reader<'a> {
    source: &'a Source,
    feed: &'a Feed,
    sink: &'a mut dyn Sink,
    asset: AssetId,
    times: Times,
    modality: Modality,
    samples: Vec<Sample>,
    /// Of the header, then of the block's lines.
    hasher: blake3::Hasher,
    unhashed: Vec<u8>,
    header: [u8; 32],
    blocks: u64,
    first: u64,
    last: u64,
    rows: u64,
    events: usize,
    without_genotype: usize,
    /// How often each rule had been broken before this block.
    told: HashMap<&'static str, usize>,
}

struct Sample {
    name: Option<String>,
    events: Vec<Event>,
}

impl<'a> Reader<'a> {
    fn new(source: &'a Source, feed: &'a Feed, asset: AssetId, sink: &'a mut dyn Sink) -> Self {
        Self {
            source,
            feed,
            sink,
            asset,
            times: Times::default(),
            modality: Modality::known("genomics"),
            samples: Vec::new(),
            hasher: blake3::Hasher::new(),
            unhashed: Vec::new(),
            header: [0; 32],
            blocks: 0,
            first: 0,
            last: 0,
            rows: 0,
            events: 0,
            without_genotype: 0,
            told: HashMap::new(),
        }
    }

    fn failed(&self, source: SinkError) -> Error {
        Error::Sink { place: self.source.origin.clone(), source }
    }

    fn reject(
        &mut self,
        place: String,
        offset: Option<u64>,
        rule: &str,
        message: &str,
        bytes: Option<Bytes>,
    ) -> Result<(), Error> {
        let rejected = Rejected { place, offset, rule: rule.to_owned(), message: message.to_owned(), bytes };
        self.sink.reject(rejected).map_err(|e| self.failed(e))
    }

    /// Hands over the entry of the file itself, once its header is known.
    fn begin(&mut self, header: &Header, asset: crate::feed::Asset, checker: &Checker) -> Result<(), Error> {
        let date = header.date.as_deref();
        let parts = date.and_then(|d| Parts::compact(d).or_else(|| Parts::iso(d)));
        self.times.recorded = parts.and_then(|p| self.feed.moment(&p));
        self.samples =
            header.samples.iter().map(|n| Sample { name: Some(n.clone()), events: Vec::new() }).collect();
        if self.samples.is_empty() {
            self.samples.push(Sample { name: None, events: Vec::new() });
        }
        self.header = self.hashed();
        self.restart();
        let key = blake3::Hasher::new().update(b"file").update(asset.id.bytes()).finalize();
        let mut entry = Entry::of(*key.as_bytes(), "", None, Vec::new());
        entry.assets.push(asset);
        entry.findings = self.findings(checker);
        if date.is_some() && self.times.recorded.is_none() {
            entry.findings.push(Finding::new("fileDate", "expected a date as YYYYMMDD or YYYY-MM-DD", 1));
        }
        self.sink.entry(entry).map_err(|e| self.failed(e))
    }

    /// Takes a line into the hash; in large pieces, which is faster.
    fn hash(&mut self, line: &[u8]) {
        self.unhashed.extend_from_slice(line);
        self.unhashed.push(b'\n');
        if self.unhashed.len() >= 1 << 16 {
            self.hasher.update(&self.unhashed);
            self.unhashed.clear();
            self.unhashed.shrink_to(1 << 17);
        }
    }

    /// The hash of the lines taken.
    fn hashed(&mut self) -> [u8; 32] {
        let hash = *self.hasher.update(&self.unhashed).finalize().as_bytes();
        self.unhashed.clear();
        hash
    }

    fn restart(&mut self) {
        self.blocks += 1;
        self.hasher = blake3::Hasher::new();
        self.hasher.update(&self.header).update(&self.blocks.to_le_bytes());
        (self.rows, self.events, self.without_genotype) = (0, 0, 0);
    }

    fn full(&self) -> bool {
        self.rows >= ROWS || self.events >= EVENTS
    }

    /// The rules that were broken since the last call, with how often.
    fn findings(&mut self, checker: &Checker) -> Vec<Finding> {
        let place =
            if self.rows == 0 { "header".to_owned() } else { format!("lines {}-{}", self.first, self.last) };
        let mut findings = Vec::new();
        for (rule, _, count) in checker.faults.counts() {
            let told = self.told.entry(rule).or_default();
            if *count > *told {
                findings.push(Finding::new(
                    place.clone(),
                    format!("the rule {rule} is broken"),
                    *count - *told,
                ));
                *told = *count;
            }
        }
        if self.without_genotype > 0 {
            let message = "records without genotypes (GT) make no event";
            findings.push(Finding::new(place, message, self.without_genotype));
        }
        findings
    }

    /// Hands over the events gathered since the last block.
    fn block(&mut self, checker: &Checker) -> Result<(), Error> {
        let mut findings = self.findings(checker);
        let block = self.hashed();
        let place = format!("lines {}-{}", self.first, self.last);
        let mut samples = std::mem::take(&mut self.samples);
        for (i, sample) in samples.iter_mut().enumerate() {
            let events = std::mem::take(&mut sample.events);
            let many = events.len();
            // In the first block everybody is named, with or without a variant.
            let needed = self.blocks == 1 && sample.name.is_some();
            if events.is_empty() && !needed && findings.is_empty() {
                continue;
            }
            let name = sample.name.as_deref().unwrap_or_default();
            let key = blake3::Hasher::new()
                .update(&block)
                .update(&(i as u64).to_le_bytes())
                .update(name.as_bytes())
                .finalize();
            let authority = format!("{}|sample", self.feed.site);
            let identity =
                sample.name.as_deref().map(|n| Identity::of_key(authority, n, IdentifierKind::Other));
            let entry = Entry {
                key: *key.as_bytes(),
                place: place.clone(),
                subjects: vec![Mention { identity, events }],
                rows: Vec::new(),
                links: Vec::new(),
                assets: Vec::new(),
                findings: std::mem::take(&mut findings),
            };
            self.sink.entry(entry).map_err(|e| self.failed(e))?;
            // The next block is likely as large.
            sample.events.reserve(many);
        }
        self.samples = samples;
        self.restart();
        Ok(())
    }

    /// Makes events of `record`.
    fn record(&mut self, row: &Row<'_>, record: &Record<'_>, header: &Header, format: &Format) {
        self.hash(row.bytes);
        if self.rows == 0 {
            self.first = row.number;
        }
        (self.last, self.rows) = (row.number, self.rows + 1);
        let Some(samples) = record.samples else {
            if header.samples.is_empty() {
                for (i, alternative) in record.alleles().enumerate() {
                    let event = self.event(&Site::of(record, i, alternative, header));
                    self.samples[0].events.push(event);
                    self.events += 1;
                }
            }
            return;
        };
        if record.count == 0 {
            return;
        }
        let Some(at) = format.genotype else {
            self.without_genotype += 1;
            return;
        };
        let mut sites = Vec::new();
        let (mut room, mut field_room) = (Vec::with_capacity(16), Vec::with_capacity(64));
        for (sample, column) in samples.iter().enumerate() {
            let Some(genotype) = column.field(at).filter(|g| g.has_alternative()) else { continue };
            let text = genotype.text(&mut room);
            let genotype = text.as_bytes();
            let Some(called) = Genotype::of(genotype, header.version).filter(|g| g.largest <= record.count)
            else {
                continue;
            };
            for (i, alternative) in record.alleles().enumerate().take(called.largest as usize) {
                let copies = copies(genotype, i as u64 + 1);
                if copies == 0 {
                    continue;
                }
                if sites.len() <= i {
                    sites.resize_with(i + 1, || None);
                }
                let site = sites[i].get_or_insert_with(|| Site::of(record, i, alternative, header));
                let mut attributes = site.attributes.with_room(ROOM);
                column.kept(format, |name, values| attributes.push((name, values.text(&mut field_room))));
                let event = Event {
                    value: Some(f64::from(copies)),
                    text: Some(text.to_string()),
                    specimen: header.samples.get(sample).cloned(),
                    asset: (header.samples.len() == 1).then_some(self.asset),
                    attributes,
                    unit: None,
                    encounter: None,
                    times: self.times,
                    code: site.code.clone(),
                    modality: self.modality.clone(),
                };
                if let Some(sample) = self.samples.get_mut(sample) {
                    sample.events.push(event);
                    self.events += 1;
                }
            }
        }
    }

    fn event(&self, site: &Site) -> Event {
        let event = Event::new(self.times, site.code.clone(), self.modality.clone());
        Event { attributes: site.attributes.clone(), ..event }
    }
}

/// How many times allele `number` stands in `genotype`.
fn copies(genotype: &[u8], number: u64) -> u32 {
    let alleles = genotype.split(|b| matches!(b, b'/' | b'|'));
    alleles.filter(|a| super::record::whole(a) == Some(number)).map(|_| 1).sum()
}
