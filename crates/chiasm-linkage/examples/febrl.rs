//! Links tables whose truth is known and prints precision, recall and F1.
//!
//! ```sh
//! cargo run --release --example febrl -- [--without COLUMN,..] [--only COLUMN,..] [--truth COLUMN]
//!     [--truth-file ID_AND_PERSON.csv] [--show] [--errors N] [--ask N] [--out PAIRS.csv] A.csv [B.csv]
//! ```
//! The truth is the record id up to its second hyphen (FEBRL), the column that `--truth` names, or a file's.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a program for the terminal")]

use chiasm_linkage::{
    ClusterConfig, FieldKind, Fields, Index, LinkConfig, Records, RecordsBuilder, link, persons,
};
use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (mut without, mut only, mut truth, mut files) = (Vec::new(), Vec::new(), None, Vec::new());
    let mut told: HashMap<String, String> = HashMap::new();
    let (mut show, mut errors, mut ask, mut out) = (false, 0_usize, 0_usize, None);
    let list = |text: String| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--without" => without = list(arguments.next().unwrap()),
            "--only" => only = list(arguments.next().unwrap()),
            "--truth" => truth = arguments.next(),
            "--truth-file" => {
                let mut rows = csv::ReaderBuilder::new()
                    .has_headers(false)
                    .from_path(arguments.next().unwrap())
                    .unwrap();
                told.extend(
                    rows.records().map(Result::unwrap).map(|row| (row[0].to_owned(), row[1].to_owned())),
                );
            }
            "--ask" => ask = arguments.next().unwrap().parse().unwrap(),
            "--out" => out = arguments.next(),
            "--show" => show = true,
            "--errors" => errors = arguments.next().unwrap().parse().unwrap(),
            _ => files.push(argument),
        }
    }
    let begun = Instant::now();
    let mut builder = RecordsBuilder::new();
    let mut people: Vec<String> = Vec::new();
    let mut asked: Vec<Cells> = Vec::new();
    for (number, file) in files.iter().enumerate() {
        if number == 1 {
            builder.second_table();
        }
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(file).unwrap();
        let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        let names: Vec<&str> = header.iter().map(String::as_str).collect();
        let (mut kinds, _) = Fields::default().bind(file, &names).unwrap();
        for (kind, name) in kinds.iter_mut().zip(&header) {
            if without.contains(name)
                || !only.is_empty() && !only.contains(name)
                || truth.as_ref() == Some(name)
            {
                *kind = FieldKind::Ignore;
            }
        }
        let column = truth.as_ref().map(|name| names.iter().position(|n| n == name).unwrap());
        let mut row = csv::StringRecord::new();
        while reader.read_record(&mut row).unwrap() {
            builder.push(&row[0], kinds.iter().zip(&header).zip(&row).map(|((k, h), c)| (*k, h.as_str(), c)));
            if ask > 0 && people.len().is_multiple_of(100) {
                let cells =
                    kinds.iter().zip(&header).zip(&row).map(|((k, h), c)| (*k, h.clone(), c.to_owned()));
                asked.push((people.len(), cells.collect()));
            }
            people.push(match column {
                Some(column) => row[column].to_owned(),
                None if !told.is_empty() => told[&row[0]].clone(),
                None => row[0].splitn(3, '-').take(2).collect::<Vec<_>>().join("-"),
            });
        }
    }
    let records: Records = builder.finish();
    let read = begun.elapsed();
    let linkage = link(&records, &LinkConfig::default());
    println!("linked in {:.2?}", begun.elapsed());
    if let Some(file) = out {
        let mut writer = csv::Writer::from_path(file).unwrap();
        for p in &linkage.pairs {
            writer
                .write_record([records.id(p.left), records.id(p.right), &p.probability.to_string()])
                .unwrap();
        }
        writer.flush().unwrap();
    }
    let mut groups: HashMap<&str, (u64, u64)> = HashMap::new();
    let second = people.len() - if files.len() == 2 { count(&files[1]) } else { 0 };
    for (row, person) in people.iter().enumerate() {
        let group = groups.entry(person).or_default();
        if row < second { group.0 += 1 } else { group.1 += 1 }
    }
    let all: u64 = groups
        .values()
        .map(|&(a, b)| if files.len() == 1 { a * a.saturating_sub(1) / 2 } else { a * b })
        .sum();
    println!(
        "{} records, {all} true pairs, read {:.2?}, all {:.2?}, prior {:.3e}",
        people.len(),
        read,
        begun.elapsed(),
        linkage.prior()
    );
    for threshold in [0.05, 0.2, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 0.99999] {
        let kept = linkage.pairs.iter().filter(|pair| pair.probability >= threshold);
        let (mut right, mut wrong) = (0_u64, 0_u64);
        for pair in kept {
            if people[pair.left as usize] == people[pair.right as usize] { right += 1 } else { wrong += 1 }
        }
        let (precision, recall) = (right as f64 / (right + wrong).max(1) as f64, right as f64 / all as f64);
        let f1 = 2.0 * right as f64 / (right + wrong + all) as f64;
        println!(
            "  {threshold:<7} right {right} wrong {wrong}  precision {precision:.5} recall {recall:.5} F1 {f1:.5}"
        );
    }
    let begun = Instant::now();
    let persons = persons(&records, &linkage, &BTreeMap::new(), ClusterConfig::default());
    let false_links =
        persons.links.iter().filter(|(a, b, _)| people[*a as usize] != people[*b as usize]).count();
    let groups = persons.groups();
    let impure =
        groups.iter().filter(|g| g.iter().any(|&r| people[r as usize] != people[g[0] as usize])).count();
    println!(
        "  persons: {} links, {false_links} false; {} groups, {impure} impure; {} pairs to review, {:.2?}",
        persons.links.len(),
        groups.len(),
        persons.review.len(),
        begun.elapsed()
    );
    let mut reasons: BTreeMap<_, (usize, usize)> = BTreeMap::new();
    for review in &persons.review {
        let of = reasons.entry(review.reason).or_default();
        of.0 += usize::from(people[review.left as usize] == people[review.right as usize]);
        of.1 += 1;
    }
    for (reason, (right, all)) in reasons {
        println!("  review {reason:?}: {all} pairs, {right} of them one person");
    }
    for (a, b, p) in
        persons.links.iter().filter(|(a, b, _)| people[*a as usize] != people[*b as usize]).take(errors)
    {
        println!("FALSE LINK {} {} p {p}", records.id(*a), records.id(*b));
        for e in linkage.evidence(&records, *a, *b) {
            println!("     {:24} {:24} {:+.2}", e.field, e.level, e.weight);
        }
    }
    if show {
        for key in &linkage.keys {
            println!("  key {:50} pairs {:>10} left out {:>12}", key.key, key.pairs, key.left_out);
        }
        for (field, level, m, u) in linkage.parameters() {
            println!("  {field:24} {level:24} m {m:.5} u {u:.7} bits {:+.2}", (m / u).log2());
        }
    }
    if errors > 0 {
        let by_pair: HashMap<(u32, u32), f64> =
            linkage.pairs.iter().map(|p| ((p.left, p.right), p.probability)).collect();
        let mut wrong: Vec<_> = linkage
            .pairs
            .iter()
            .filter(|p| p.probability >= 0.95 && people[p.left as usize] != people[p.right as usize])
            .map(|p| ("FALSE", p.left, p.right))
            .collect();
        let mut by_person: HashMap<&str, Vec<u32>> = HashMap::new();
        for (row, person) in people.iter().enumerate() {
            by_person.entry(person).or_default().push(row as u32);
        }
        let mut missed = Vec::new();
        for rows in by_person.values() {
            for (at, &a) in rows.iter().enumerate() {
                for &b in &rows[at + 1..] {
                    let apart = files.len() == 1 || ((a as usize) < second) != ((b as usize) < second);
                    if apart && by_pair.get(&(a.min(b), a.max(b))).is_none_or(|&p| p < 0.5) {
                        missed.push(("MISSED", a.min(b), a.max(b)));
                    }
                }
            }
        }
        missed.sort();
        wrong.truncate(errors);
        missed.truncate(errors);
        for (what, a, b) in wrong.into_iter().chain(missed) {
            println!("{what} {} {} p {:?}", records.id(a), records.id(b), by_pair.get(&(a, b)));
            for e in linkage.evidence(&records, a, b) {
                println!("     {:24} {:24} {:+.2}", e.field, e.level, e.weight);
            }
        }
    }
    if ask > 0 {
        questions(records, linkage, &people, &asked, ask);
    }
}

/// Asks the index for records that it holds, one after another, and prints how long that takes.
fn questions(
    records: Records,
    linkage: chiasm_linkage::Linkage,
    people: &[String],
    asked: &[Cells],
    ask: usize,
) {
    let begun = Instant::now();
    let mut index = Index::new(records, linkage);
    println!("index of {} records in {:.2?}", index.len(), begun.elapsed());
    let mut times = Vec::new();
    let mut found = 0;
    for at in 0..ask {
        let (row, cells) = &asked[at * 7919 % asked.len()];
        let begun = Instant::now();
        let matches = index.match_row(cells.iter().map(|(k, n, c)| (*k, n.as_str(), c.as_str())), 0.01, 10);
        times.push(begun.elapsed());
        found += usize::from(matches.first().is_some_and(|best| people[best.row as usize] == people[*row]));
    }
    times.sort();
    println!(
        "{ask} questions: the right person first in {found}; median {:.2?}, p99 {:.2?}, most {:.2?}",
        times[ask / 2],
        times[ask * 99 / 100],
        times[ask - 1]
    );
}

type Cells = (usize, Vec<(FieldKind, String, String)>);

fn count(file: &str) -> usize {
    csv::Reader::from_path(file).unwrap().records().count()
}
