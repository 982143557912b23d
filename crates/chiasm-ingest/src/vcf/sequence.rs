use super::alleles::{Allele, allele, shortest};
use super::faults::Faults;
use super::header::Header;
use super::record::Record;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Contigs that are remembered; a file with more is not checked for contiguity past them.
const CONTIGS: usize = 1 << 20;
/// Variants at or after the present position that are remembered.
const VARIANTS: usize = 1 << 18;

/// What the records before say of the next: order, contiguity, variants seen.
///
/// Memory is bounded: a variant in its shortest form never begins before its record, so those before the
/// present position can be forgotten.
#[derive(Default)]
pub(super) struct Sequence {
    chromosome: Vec<u8>,
    position: u64,
    done: HashSet<Vec<u8>>,
    variants: HashSet<(u64, u64)>,
    /// How many variants may gather before the old ones are forgotten.
    room: usize,
}

impl Sequence {
    /// Checks `record` against those before it.
    pub fn check(&mut self, record: &Record<'_>, number: u64, header: &Header, faults: &mut Faults) {
        // `<1>` and `1` are one place in the order of records.
        let chromosome = match record.chromosome {
            [b'<', inner @ .., b'>'] => inner,
            plain => plain,
        };
        if self.chromosome != chromosome {
            let before = std::mem::replace(&mut self.chromosome, chromosome.to_vec());
            if self.done.len() < CONTIGS && !before.is_empty() {
                self.done.insert(before);
            }
            if self.done.contains(chromosome) {
                faults.error(
                    "vcf.chrom.contiguous",
                    number,
                    "expected the records of a chromosome in one block",
                );
            }
            self.variants.clear();
        } else if record.position < self.position {
            faults.error("vcf.pos.sorted", number, "expected positions in increasing order");
        } else if record.position > self.position && self.variants.len() > self.room {
            self.variants.retain(|(position, _)| *position >= record.position);
            self.room = (2 * self.variants.len()).max(64);
        }
        self.position = record.position;
        if self.variants.len() > VARIANTS {
            self.variants.clear();
        }
        for other in record.alleles() {
            let Some(Allele::Bases(bases)) = allele(other, header.version) else { continue };
            let (position, gone, come) = shortest(record.position, record.reference, bases);
            if !self.variants.insert((position, hash(gone, come))) {
                faults.error(
                    "vcf.variant.duplicate",
                    number,
                    "expected each variant once; found one in its shortest form twice",
                );
            }
        }
    }
}

/// Of both alleles, without case. The hash is the same in every run.
fn hash(gone: &[u8], come: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for text in [gone, come] {
        text.len().hash(&mut hasher);
        text.iter().for_each(|b| hasher.write_u8(b.to_ascii_uppercase()));
    }
    hasher.finish()
}
