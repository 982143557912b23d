use crate::compare::Comparer;
use crate::levels::Measure;
use crate::records::{Records, vocabulary_of};
use crate::vocabulary::Vocabulary;
use crate::{FieldKind, rules, sampling::mix};
use rayon::prelude::*;

/// Something that two records of one person probably share: a name, how it sounds, a birth month.
pub(crate) struct Atom {
    pub(crate) name: String,
    /// Comparisons that the atom rests on, one bit each.
    pub(crate) touches: u32,
    /// The atom by record, 0 for none. Several columns where a record may have several (telephones).
    pub(crate) columns: Vec<Vec<u32>>,
    /// Where its columns come from: what of which fields.
    pub(crate) part: Part,
    pub(crate) slots: Vec<usize>,
    /// Whether it may stand with another in one key where alone it is too common.
    joins: bool,
    /// Too common to stand alone as a key.
    coarse: bool,
}

/// What of a value an atom is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it.
    Value,
    /// How a name sounds.
    Sound,
    /// Year and month of a date.
    Month,
    /// Month and day of a date.
    Day,
    /// Two names together, in whichever order.
    Both,
}

impl Part {
    /// The atom of one value; 0 for none.
    fn number(self, words: &Vocabulary, id: u32) -> u32 {
        let digits = |from: usize, to: usize| {
            let digits = words.text(id);
            let part = if digits.len() == 8 { digits.get(from..to).unwrap_or("") } else { "" };
            part.parse::<u32>().map_or(0, |number| number + 1)
        };
        match self {
            Self::Value | Self::Both => id,
            Self::Sound => words.traits(id).sounds[0],
            Self::Month => digits(0, 6),
            Self::Day => digits(4, 8),
        }
    }
}

impl Atom {
    /// The atom of one record, for each of its fields; 0 for none.
    pub(crate) fn of(&self, records: &Records, row: u32) -> Vec<u32> {
        let value = |slot: usize| records.slots[slot].values[row as usize];
        match (self.part, self.slots.as_slice()) {
            (Part::Both, &[given, family]) => vec![both_names(value(given), value(family))],
            (part, slots) => {
                let words = |slot: usize| &records.vocabularies[records.slots[slot].vocabulary];
                slots.iter().map(|&slot| part.number(words(slot), value(slot))).collect()
            }
        }
    }
}

fn both_names(given: u32, family: u32) -> u32 {
    let names = u64::from(given.min(family)) << 32 | u64::from(given.max(family));
    if given == 0 || family == 0 { 0 } else { (mix(names) as u32).max(1) }
}

/// One way to find pairs: records that agree on one or two atoms.
pub(crate) struct Key {
    /// Numbers of the atoms.
    pub(crate) atoms: Vec<usize>,
    /// Comparisons that the key rests on, one bit each.
    pub(crate) touches: u32,
    /// Records that share a value stand together. Shape: `[member]`.
    members: Vec<u32>,
    /// Where each block ends among the members.
    ends: Vec<u32>,
    /// How many pairs its blocks hold.
    pub(crate) pairs: u64,
}

/// What a key would cost, told before any pair is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCount {
    /// The fields that must agree.
    pub key: String,
    /// Pairs in blocks that are used.
    pub pairs: u64,
    /// Pairs in blocks that are too large; they are found by narrower keys, if at all.
    pub left_out: u64,
}

/// Which pairs are worth comparing.
pub(crate) struct Blocking {
    pub(crate) atoms: Vec<Atom>,
    pub(crate) keys: Vec<Key>,
    pub(crate) counts: Vec<KeyCount>,
    /// A block of more pairs than this is left to narrower keys.
    pub(crate) limit: u64,
}

impl Blocking {
    /// Chooses keys that together make at most about `budget` pairs.
    ///
    /// Every atom is first tried alone: blocks of more than a limit of pairs are left out, and the limit is
    /// the largest for which half of the budget suffices. What is left out there is tried again by
    /// two atoms at once.
    pub(crate) fn plan(records: &Records, comparer: &Comparer, budget: u64) -> Self {
        let atoms = atoms(records, comparer);
        let sizes: Vec<Vec<u64>> = atoms.par_iter().map(|atom| sizes(records, &atom.columns)).collect();
        let usable = |limit: u64, sizes: &[u64]| sizes.iter().filter(|&&pairs| pairs <= limit).sum::<u64>();
        let total = |limit: u64| -> u64 {
            let alone = atoms.iter().zip(&sizes).filter(|(atom, _)| !atom.coarse);
            alone.map(|(_, sizes)| usable(limit, sizes)).sum()
        };
        let limit = (2..40)
            .map(|bits| 1_u64 << bits)
            .take_while(|&limit| total(limit) <= budget / 2)
            .last()
            .unwrap_or(3);
        let mut blocking = Self { atoms, keys: Vec::new(), counts: Vec::new(), limit };
        let singles: Vec<usize> = (0..blocking.atoms.len()).filter(|&a| !blocking.atoms[a].coarse).collect();
        let made: Vec<Key> = singles.par_iter().map(|&a| blocking.single(records, a)).collect();
        let mut over: Vec<Vec<bool>> = vec![Vec::new(); blocking.atoms.len()];
        let mut spent = 0;
        for key in made {
            let atom = key.atoms[0];
            let all: u64 = sizes[atom].iter().sum();
            blocking.report(&key, all - key.pairs);
            spent += key.pairs;
            over[atom] = left_out(records.len(), &blocking.atoms[atom].columns[0], &key);
            blocking.keys.push(key);
        }
        for (flags, atom) in over.iter_mut().zip(&blocking.atoms) {
            if flags.is_empty() {
                *flags = atom.columns[0].iter().map(|&value| value != 0).collect();
            }
        }
        blocking.pairs_of_atoms(records, &over, budget, spent);
        blocking
    }

    /// Adds keys of two atoms over the records whose blocks are too large in both, cheapest first.
    fn pairs_of_atoms(&mut self, records: &Records, over: &[Vec<bool>], budget: u64, mut spent: u64) {
        let joins: Vec<usize> = (0..self.atoms.len()).filter(|&a| self.atoms[a].joins).collect();
        let many = |a: usize| over[a].iter().filter(|&&flag| flag).count() * 200 > records.len();
        let mut both = Vec::new();
        for (at, &a) in joins.iter().enumerate() {
            for &b in &joins[at + 1..] {
                let apart = self.atoms[a].touches & self.atoms[b].touches == 0;
                if apart && !(self.atoms[a].coarse && self.atoms[b].coarse) && many(a) && many(b) {
                    both.push((a, b));
                }
            }
        }
        let made = both.par_iter().map(|&(a, b)| {
            let (x, y) = (&self.atoms[a].columns[0], &self.atoms[b].columns[0]);
            let both = |r: usize| over[a][r] && over[b][r];
            let value = |r: usize| u64::from(x[r]) << 32 | u64::from(y[r]);
            let entries = (0..records.len()).filter(|&r| both(r)).map(|r| (value(r), r as u32)).collect();
            self.key(records, vec![a, b], entries)
        });
        let mut made: Vec<(Key, u64)> = made.collect();
        made.sort_by_key(|(key, _)| (key.pairs, key.atoms.clone()));
        for (key, left_out) in made {
            if key.pairs > 0 && spent + key.pairs <= budget {
                spent += key.pairs;
                self.report(&key, left_out);
                self.keys.push(key);
            } else {
                let all = key.pairs + left_out;
                let none = Key { pairs: 0, members: Vec::new(), ends: Vec::new(), ..key };
                self.report(&none, all);
            }
        }
    }

    fn report(&mut self, key: &Key, left_out: u64) {
        let names: Vec<&str> = key.atoms.iter().map(|&a| self.atoms[a].name.as_str()).collect();
        self.counts.push(KeyCount { key: names.join(" + "), pairs: key.pairs, left_out });
    }

    fn single(&self, records: &Records, atom: usize) -> Key {
        let columns = &self.atoms[atom].columns;
        let entries = columns.iter().flat_map(|column| {
            (0_u32..).zip(column).filter(|(_, value)| **value != 0).map(|(r, &value)| (u64::from(value), r))
        });
        self.key(records, vec![atom], entries.collect()).0
    }

    /// The blocks of a key, and how many pairs stand in blocks beyond the limit.
    fn key(&self, records: &Records, atoms: Vec<usize>, mut entries: Vec<(u64, u32)>) -> (Key, u64) {
        entries.par_sort_unstable();
        entries.dedup();
        let touches = atoms.iter().fold(0, |bits, &a| bits | self.atoms[a].touches);
        let mut key = Key { atoms, touches, members: Vec::new(), ends: Vec::new(), pairs: 0 };
        let mut left_out = 0;
        for block in entries.chunk_by(|x, y| x.0 == y.0) {
            let pairs = pairs_in(records, block.iter().map(|entry| entry.1));
            if pairs > self.limit {
                left_out += pairs;
            } else if pairs > 0 {
                key.members.extend(block.iter().map(|entry| entry.1));
                key.ends.push(key.members.len() as u32);
                key.pairs += pairs;
            }
        }
        (key, left_out)
    }

    /// The atoms of each key in use.
    pub(crate) fn used(&self) -> Vec<Vec<usize>> {
        self.keys.iter().filter(|key| key.pairs > 0).map(|key| key.atoms.clone()).collect()
    }

    /// Whether key number `key` also finds this pair.
    pub(crate) fn finds(&self, key: usize, a: u32, b: u32) -> bool {
        self.keys[key].atoms.iter().all(|&atom| {
            let columns = &self.atoms[atom].columns;
            let value = |column: &Vec<u32>, r: u32| column[r as usize];
            columns.iter().any(|x| value(x, a) != 0 && columns.iter().any(|y| value(x, a) == value(y, b)))
        })
    }
}

impl Key {
    /// Its blocks, each the numbers of records that share a value.
    pub(crate) fn blocks(&self) -> impl IndexedParallelIterator<Item = &[u32]> {
        (0..self.ends.len()).into_par_iter().map(|block| {
            let from = block.checked_sub(1).map_or(0, |before| self.ends[before]);
            &self.members[from as usize..self.ends[block] as usize]
        })
    }

    /// All of its pairs, block by block.
    pub(crate) fn all_pairs(&self, records: &Records) -> Vec<(u32, u32)> {
        self.blocks().flat_map_iter(|block| pairs_of(records, block)).collect()
    }

    /// A share of its pairs: blocks and pairs are drawn by hash, so the draw is the same every time.
    pub(crate) fn sample(&self, records: &Records, most: u64) -> (f64, Vec<(u32, u32)>) {
        let rate = (most as f64 / self.pairs.max(1) as f64).min(1.0);
        let bound = (rate * u64::MAX as f64) as u64;
        let pairs = self.blocks().flat_map_iter(|block| pairs_of(records, block));
        let drawn = pairs.filter(|&(a, b)| rate >= 1.0 || mix(u64::from(a) << 32 | u64::from(b)) <= bound);
        (rate, drawn.collect())
    }
}

/// The pairs of one block that may be linked, the smaller number first.
pub(crate) fn pairs_of<'a>(records: &'a Records, block: &'a [u32]) -> impl Iterator<Item = (u32, u32)> + 'a {
    block.iter().enumerate().flat_map(move |(at, &a)| {
        block[at + 1..].iter().map(move |&b| (a.min(b), a.max(b))).filter(|&(a, b)| records.comparable(a, b))
    })
}

fn pairs_in(records: &Records, members: impl Iterator<Item = u32>) -> u64 {
    let (mut first, mut second) = (0_u64, 0_u64);
    for member in members {
        if (member as usize) < records.second { first += 1 } else { second += 1 }
    }
    if records.tables == 1 { first * first.saturating_sub(1) / 2 } else { first * second }
}

/// How many pairs each block of an atom holds.
fn sizes(records: &Records, columns: &[Vec<u32>]) -> Vec<u64> {
    let entries = columns.iter().flat_map(|column| (0_u32..).zip(column));
    let mut entries: Vec<(u32, u32)> =
        entries.filter(|(_, value)| **value != 0).map(|(r, &v)| (v, r)).collect();
    entries.par_sort_unstable();
    entries.dedup();
    entries.chunk_by(|x, y| x.0 == y.0).map(|block| pairs_in(records, block.iter().map(|e| e.1))).collect()
}

/// Which records have a value whose block the key leaves out (or who are alone in it).
fn left_out(records: usize, column: &[u32], key: &Key) -> Vec<bool> {
    let mut over: Vec<bool> = column.iter().map(|&value| value != 0).collect();
    debug_assert_eq!(over.len(), records);
    for &member in &key.members {
        over[member as usize] = false;
    }
    over
}

/// Every atom that the comparisons allow.
pub(crate) fn atoms(records: &Records, comparer: &Comparer) -> Vec<Atom> {
    let mut atoms = Vec::new();
    let order =
        |kind| comparer.comparisons.iter().position(|c| c.measure == Measure::Order && c.kind == kind);
    for (at, comparison) in comparer.comparisons.iter().enumerate() {
        if comparison.measure == Measure::Order {
            continue;
        }
        let kind = comparison.kind;
        let with_order = order(vocabulary_of(kind)).filter(|_| kind != FieldKind::Other);
        let touches = 1 << at | with_order.map_or(0, |order| 1_u32 << order);
        let name = &comparison.name;
        let words = &records.vocabularies[records.slots[comparison.of[0]].vocabulary];
        let distinct = words.len();
        let coarse = (comparison.measure == Measure::Equal || distinct < 40) && !rules::settles(kind);
        let atom = |part: Part, name: String| Atom {
            name,
            touches,
            columns: columns(records, &comparison.of, part),
            part,
            slots: comparison.of.clone(),
            joins: (!coarse || distinct >= 12) && matches!(part, Part::Value | Part::Sound),
            coarse,
        };
        match comparison.measure {
            Measure::Name => atoms.push(atom(Part::Sound, format!("sound of {name}"))),
            Measure::Date => {
                atoms.push(atom(Part::Month, format!("month of {name}")));
                atoms.push(atom(Part::Day, format!("day of {name}")));
            }
            _ => {}
        }
        atoms.push(atom(Part::Value, name.clone()));
    }
    let place =
        |kind| comparer.comparisons.iter().position(|c| c.kind == kind && c.measure != Measure::Order);
    if let (Some(given), Some(family)) = (place(FieldKind::GivenName), place(FieldKind::FamilyName)) {
        let slots = [given, family].map(|at| comparer.comparisons[at].of[0]);
        let [g, f] = slots.map(|slot| &records.slots[slot].values);
        let both = g.iter().zip(f).map(|(&g, &f)| both_names(g, f)).collect();
        let order = order(FieldKind::GivenName).map_or(0, |order| 1 << order);
        atoms.push(Atom {
            name: "both names".into(),
            touches: 1 << given | 1 << family | order,
            columns: vec![both],
            part: Part::Both,
            slots: slots.to_vec(),
            joins: false,
            coarse: false,
        });
    }
    atoms
}

/// An atom's columns over all records.
fn columns(records: &Records, slots: &[usize], part: Part) -> Vec<Vec<u32>> {
    let column = |&slot: &usize| {
        let slot = &records.slots[slot];
        let words = &records.vocabularies[slot.vocabulary];
        if part == Part::Value {
            return slot.values.clone();
        }
        let numbers: Vec<u32> =
            (0..words.len() as u32).into_par_iter().map(|id| part.number(words, id)).collect();
        slot.values.iter().map(|&value| numbers[value as usize]).collect()
    };
    slots.iter().map(column).collect()
}
