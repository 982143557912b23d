//! `ingest` killed at random moments, on a disk that is full, beside another: nothing is lost, nothing is
//! there twice, and the store can be read at every moment.
//!
//! About 10 kills; `CHIASM_KILLS=100` for the figure in docs/performance.md.
#![cfg(unix)]

use crate::stored::{Dice, KEY, content, files, kills, open, same, tear};
use crate::toy::{Toy, succeeds};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Groups that the exports are read in, one run each.
const GROUPS: usize = 4;

/// A small hospital's raw exports, and its files in groups.
fn hospital() -> (Toy, Vec<Vec<String>>) {
    let toy = Toy::new();
    succeeds(&toy.chiasm(&["synth", "hospital", "--patients", "12", "--seed", "5", "--out", "h"]));
    toy.write("h/hl7/broken.hl7", "MSH|^~\\&|LAB|H|||20240101||ADT^A01|9|P|2.5\rEVN|A01\r");
    toy.write("h/lims/letter.xyz", "of no format");
    let root = toy.path(".").canonicalize().unwrap();
    let mut all: Vec<PathBuf> = ["ehr", "hl7", "pacs", "lims", "devices"]
        .iter()
        .flat_map(|part| files(&root.join("h").join(part)))
        .collect();
    all.retain(|file| file.is_file());
    let name = |file: &PathBuf| file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
    let size = all.len().div_ceil(GROUPS);
    let groups = all.chunks(size).map(|group| group.iter().map(name).collect()).collect();
    (toy, groups)
}

fn ingest(toy: &Toy, group: &[String], store: &str) -> Command {
    let mut command = toy.command();
    command.arg("ingest").args(group).args(["--site", "h", "--store", store, "--quiet"]);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// What an undisturbed run makes of the groups, and how long each takes.
fn undisturbed(toy: &Toy, groups: &[Vec<String>]) -> Vec<Duration> {
    toy.write("good/key", KEY);
    let timed = groups.iter().map(|group| {
        let began = Instant::now();
        succeeds(&ingest(toy, group, "good").output().unwrap());
        began.elapsed()
    });
    timed.collect()
}

/// Entries that another program sees; none where there is no store yet.
fn entries(toy: &Toy, store: &str) -> Option<u64> {
    let output = toy.chiasm(&["query", "--store", store, "SELECT count(*) AS n FROM entries", "--json"]);
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("no store is there"), "{said}");
        return None;
    }
    let rows: Value = serde_json::from_slice(&output.stdout).unwrap();
    rows[0]["n"].as_u64()
}

#[test]
fn an_ingest_that_is_killed_goes_on() {
    let (toy, groups) = hospital();
    let times = undisturbed(&toy, &groups);
    let expected = content(&toy.path("good"));
    assert!(expected["entries"].len() > 100 && expected["quarantine"].len() >= 2);
    let (wanted, mut dice) = (kills(), Dice(11));
    let (mut killed, mut torn, mut stores) = (0, 0, 0);
    while killed < wanted {
        stores += 1;
        let name = format!("killed{stores}");
        toy.write(&format!("{name}/key"), KEY);
        let mut before = None;
        // One who reads all the while: what it has open may not be removed under it.
        let reading = AtomicBool::new(true);
        std::thread::scope(|scope| {
            if stores % 2 == 0 {
                scope.spawn(|| {
                    while reading.load(Ordering::Relaxed) {
                        if toy.path(&name).join("manifest").exists() {
                            content(&toy.path(&name));
                        }
                        std::thread::sleep(Duration::from_millis(20));
                    }
                });
            }
            for (group, time) in groups.iter().zip(&times) {
                let mut patience = 0;
                loop {
                    let mut run = ingest(&toy, group, &name).spawn().unwrap();
                    // Now and then a second one, for the same files.
                    let mut beside =
                        (dice.below(4) == 0).then(|| ingest(&toy, group, &name).spawn().unwrap());
                    // Towards the end of a run, where it commits, more often than elsewhere.
                    let most = time.as_millis() as u64 * (8 + patience) / 10;
                    let wait = most - dice.below(most + 1) * dice.below(most + 1) / (most + 1);
                    let ended = ended_within(&mut run, Duration::from_millis(wait));
                    run.kill().unwrap();
                    let output = run.wait_with_output().unwrap();
                    if let Some(beside) = &mut beside {
                        beside.kill().unwrap();
                        beside.wait().unwrap();
                    }
                    let now = entries(&toy, &name);
                    assert!(now >= before, "{before:?} entries were there, {now:?} are");
                    before = now;
                    if ended {
                        succeeds(&output);
                        break;
                    }
                    killed += 1;
                    // A machine under load is slower than it was: at last a run must come to its end.
                    patience += 2;
                    if now.is_some() {
                        torn += tear(&toy.path(&name), &mut dice);
                    }
                }
            }
            reading.store(false, Ordering::Relaxed);
        });
        same(&toy.path(&name), &expected);
        assert!(
            files(&toy.path(&name).join("tmp")).is_empty() || stores % 2 == 0,
            "what was unpacked is left"
        );
        // Once more from the start: nothing new, and what belongs to no state is gone.
        succeeds(&toy.chiasm(&["ingest", "h/ehr", "--site", "h", "--store", &name]));
        same(&toy.path(&name), &expected);
        assert_eq!(strays(&toy, &name), 0);
        std::fs::remove_dir_all(toy.path(&name)).unwrap();
    }
    println!("{killed} kills over {stores} stores, {torn} torn files: nothing lost, nothing twice");
}

/// Whether a program ends by itself in a time.
fn ended_within(run: &mut Child, time: Duration) -> bool {
    let began = Instant::now();
    while began.elapsed() < time {
        if run.try_wait().unwrap().is_some() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    false
}

/// Parts that the newest state does not name.
fn strays(toy: &Toy, store: &str) -> usize {
    let root = toy.path(store);
    let opened = open(&root);
    let named: Vec<PathBuf> = opened.manifest().parts.iter().map(|p| root.join(&p.file)).collect();
    let tables = ["events", "entries", "identities", "assets", "sources", "quarantine", "statements"];
    let all = tables.iter().flat_map(|table| files(&root.join(table)));
    all.filter(|f| f.extension().is_some_and(|e| e == "parquet") && !named.contains(f)).count()
}

/// The program where no file may grow past `limit` KiB: as good as a full disk.
fn limited(mut command: Command, limit: u64) -> Output {
    let program = command.get_program().to_owned();
    let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    // Ignored, SIGXFSZ becomes an error that `write` returns.
    let script = format!("trap '' XFSZ; ulimit -f {limit}; exec \"$0\" \"$@\"");
    let mut shell = Command::new("bash");
    shell.arg("-c").arg(script).arg(program).args(arguments).current_dir(command.get_current_dir().unwrap());
    command.env_clear();
    shell.output().unwrap()
}

#[test]
fn an_ingest_on_a_full_disk_says_so_and_goes_on_later() {
    let (toy, groups) = hospital();
    undisturbed(&toy, &groups);
    let expected = content(&toy.path("good"));
    toy.write("small/key", KEY);
    let largest = files(&toy.path("good")).iter().map(|f| f.metadata().unwrap().len()).max().unwrap();
    let mut before = None;
    for limit in [0, 3, 30, largest / 2048] {
        for group in &groups {
            let output = limited(ingest(&toy, group, "small"), limit);
            if !output.status.success() {
                toy.refused(&output, &["cannot be written"]);
            }
            let now = entries(&toy, "small");
            assert!(now >= before, "{before:?} entries were there, {now:?} are");
            before = now;
        }
    }
    for group in &groups {
        succeeds(&ingest(&toy, group, "small").output().unwrap());
    }
    same(&toy.path("small"), &expected);
    assert_eq!(strays(&toy, "small"), 0);
}

#[test]
fn an_archive_that_does_not_fit_is_not_taken_for_a_damaged_one() {
    let (toy, _) = hospital();
    let mut tar = Vec::new();
    let text = "MSH|^~\\&|LAB|H|||20240101||ORU^R01|9|P|2.5\rPID|1||1^^^H\rOBX|1|TX|N||".to_owned()
        + &"x".repeat(90_000);
    let mut header = [0; 512];
    header[..5].copy_from_slice(b"a.hl7");
    header[100..107].copy_from_slice(b"0000644");
    header[124..135].copy_from_slice(format!("{:011o}", text.len()).as_bytes());
    header[156] = b'0';
    header[257..263].copy_from_slice(b"ustar\0");
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    tar.extend(header);
    tar.extend(text.as_bytes());
    tar.resize(tar.len().next_multiple_of(512) + 1024, 0);
    toy.write("a.tar", tar);
    let group = ["a.tar".to_owned()];
    let output = limited(ingest(&toy, &group, "s"), 40);
    toy.refused(&output, &["cannot write", "a.hl7"]);
    let rows = toy.chiasm(&["quarantine", "list", "--store", "s", "--json"]);
    assert_eq!(succeeds(&rows).trim(), "[]", "a full disk is no fault of the archive");
    succeeds(&ingest(&toy, &group, "s").output().unwrap());
    assert_eq!(entries(&toy, "s"), Some(1));
}

#[test]
fn a_damaged_state_is_named() {
    let (toy, groups) = hospital();
    succeeds(&ingest(&toy, &groups[0], "s").output().unwrap());
    let newest = files(&toy.path("s/manifest")).pop().unwrap();
    let whole = std::fs::read(&newest).unwrap();
    std::fs::write(&newest, &whole[..whole.len() / 2]).unwrap();
    let name = newest.file_name().unwrap().to_str().unwrap();
    toy.refused(&toy.chiasm(&["query", "--store", "s", "SELECT 1"]), &[name, "damaged"]);
    toy.refused(&ingest(&toy, &groups[0], "s").output().unwrap(), &[name, "damaged"]);
    std::fs::write(&newest, &whole).unwrap();
    let part = open(&toy.path("s"))
        .manifest()
        .parts
        .iter()
        .find(|p| p.file.starts_with("events"))
        .unwrap()
        .file
        .clone();
    let bytes = toy.bytes(&format!("s/{part}"));
    toy.write(&format!("s/{part}"), &bytes[..bytes.len() - 9]);
    toy.refused(&toy.chiasm(&["query", "--store", "s", "SELECT count(code) FROM events"]), &["query failed"]);
    toy.write(&format!("s/{part}"), bytes);
    std::fs::write(toy.path("s/key"), b"half").unwrap();
    toy.refused(&toy.chiasm(&["query", "--store", "s", "SELECT 1"]), &["key", "32 bytes"]);
}
