//! A small synthetic source and recipe in a folder of their own, and the program run on them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Stands in every subject's id and in planted wrong cells; it may never come back in a message.
pub const SECRET: &str = "ZQX";
/// Subjects of the source.
pub const SUBJECTS: usize = 80;
/// The modalities, in the recipe's order.
pub const MODALITIES: [&str; 3] = ["clinical", "labs", "genes"];
/// The file that holds each of [`MODALITIES`].
pub const FILES: [&str; 3] = ["clinical.csv", "labs.tsv", "genes.csv"];

const SITE: &str = include_str!("site.toml");
const RECIPE: &str = include_str!("recipe.toml");

/// A folder with `data/`, `site/site.toml` and `recipe/recipe.toml`; the program runs inside it.
pub struct Toy {
    folder: tempfile::TempDir,
}

impl Toy {
    pub fn new() -> Self {
        let toy = Self { folder: tempfile::tempdir().unwrap() };
        toy.write("site/site.toml", SITE);
        toy.write("recipe/recipe.toml", RECIPE);
        for (name, text) in data(SUBJECTS) {
            toy.write(&format!("data/{name}"), text);
        }
        toy
    }

    /// A toy with a finished run in `run`.
    pub fn trained() -> Self {
        let toy = Self::new();
        succeeds(&toy.run());
        toy
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub fn remove(&self, name: &str) {
        std::fs::remove_file(self.path(name)).unwrap();
    }

    /// Replaces every `from`, which must be there.
    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{name} has no `{from}`");
        self.write(name, text.replace(from, to));
    }

    /// Puts `value` into `column` of the data line `line` (the header is line 1).
    pub fn set_cell(&self, name: &str, line: usize, column: &str, value: &str) {
        let separator = if name.ends_with("tsv") { '\t' } else { ',' };
        let text = self.read(name);
        let mut lines: Vec<Vec<&str>> = text.lines().map(|l| l.split(separator).collect()).collect();
        let at = lines[0].iter().position(|c| *c == column).unwrap();
        lines[line - 1][at] = value;
        let joined: Vec<String> = lines.iter().map(|l| l.join(&separator.to_string())).collect();
        self.write(name, joined.join("\n") + "\n");
    }

    /// Puts what `value` makes of the line's number into `column` of every data line.
    pub fn set_column(&self, name: &str, column: &str, value: impl Fn(usize, &str) -> String) {
        let separator = if name.ends_with("tsv") { '\t' } else { ',' };
        let text = self.read(name);
        let mut lines: Vec<Vec<String>> =
            text.lines().map(|l| l.split(separator).map(str::to_owned).collect()).collect();
        let at = lines[0].iter().position(|c| c == column).unwrap();
        for (i, line) in lines.iter_mut().enumerate().skip(1) {
            line[at] = value(i + 1, &line[at]);
        }
        let joined: Vec<String> = lines.iter().map(|l| l.join(&separator.to_string())).collect();
        self.write(name, joined.join("\n") + "\n");
    }

    /// The program, in this folder, with nothing of the tester's own set-up.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chiasm"));
        command.current_dir(self.folder.path()).env_remove("CHIASM_DATA");
        offline(&mut command);
        command
    }

    pub fn chiasm(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    pub fn run(&self) -> Output {
        self.chiasm(&RUN)
    }

    pub fn run_into(&self, out: &str) -> Output {
        self.chiasm(&["run", "recipe", "--site", "site", "--data", "data", "--out", out])
    }

    pub fn predict(&self) -> Output {
        self.chiasm(&["predict", "run", "--data", "data", "--out", "answers.csv"])
    }

    /// The rows of a CSV file without quotes, by column.
    pub fn rows(&self, name: &str) -> Vec<BTreeMap<String, String>> {
        let text = self.read(name);
        let mut lines = text.lines().map(|l| l.split(',').map(str::to_owned).collect::<Vec<_>>());
        let header = lines.next().unwrap();
        lines.map(|line| header.iter().cloned().zip(line).collect()).collect()
    }

    /// Every file below a folder, with its bytes.
    pub fn files(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(&self.path(name), &self.path(name), &mut files);
        files
    }

    /// What was refused: exit code 2, `words` on standard error, no patient's value, nothing half-written.
    #[track_caller]
    pub fn refused(&self, output: &Output, words: &[&str]) {
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        let all = format!("{error}{}", String::from_utf8_lossy(&output.stdout));
        assert_eq!(output.status.code(), Some(2), "{all}");
        assert!(error.lines().any(|line| line.starts_with("chiasm: ")), "{error}");
        for word in words {
            assert!(error.contains(word), "expected `{word}` in: {error}");
        }
        assert!(!all.contains(SECRET), "a patient's value in: {all}");
        assert!(!all.contains("panicked"), "{all}");
        let left = self.files(".");
        let half: Vec<&String> = left.keys().filter(|name| name.ends_with(".part")).collect();
        assert!(half.is_empty(), "left behind: {half:?}");
        assert!(!self.path("answers.csv").exists(), "answers in spite of the error");
    }

    /// A refused training leaves no report.
    #[track_caller]
    pub fn refuses_to_run(&self, words: &[&str]) {
        let output = self.run();
        self.refused(&output, words);
        assert!(!self.path("run/report.json").exists() && !self.path("run/report.html").exists());
    }

    /// Training refused before anything was written.
    #[track_caller]
    pub fn refuses_at_once(&self, words: &[&str]) {
        self.refuses_to_run(words);
        assert!(!self.path("run").exists(), "a run folder in spite of the error");
    }
}

/// The arguments of a training on the toy.
pub const RUN: [&str; 8] = ["run", "recipe", "--site", "site", "--data", "data", "--out", "run"];

/// Sends whatever would leave this machine to a port where nobody listens.
pub fn offline(command: &mut Command) {
    for name in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(name, "http://127.0.0.1:9");
    }
    command.env_remove("no_proxy").env_remove("NO_PROXY");
}

#[track_caller]
pub fn succeeds(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn collect(root: &Path, folder: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let name = path.strip_prefix(root).unwrap().display().to_string();
            files.insert(name, std::fs::read(&path).unwrap());
        }
    }
}

/// The subject's id.
pub fn id(subject: usize) -> String {
    format!("{SECRET}{subject:03}")
}

/// The files: a hidden severity drives labs, genes and the outcome. One subject in five has no labs, one
/// in seven no genes, and the last is on the roster alone.
fn data(n: usize) -> Vec<(&'static str, String)> {
    let mut random = Random(7);
    let mut roster = String::from("id\n");
    let mut clinical = String::from("id,age,sex,stage\n");
    let mut labs = String::from("id\thb\tcrp\n");
    let mut genes = String::from("id,g1,g2,g3,g4\n");
    let mut targets = String::from("id,relapse,days,dead\n");
    for subject in 0..n {
        let id = id(subject);
        let (lab, gene) = (random.normal(), random.normal());
        let yes = lab + gene + 0.7 * random.normal() > 0.3;
        let _ = writeln!(roster, "{id}");
        let stage = ["I", "II", "III"][((random.normal() + lab + 1.5).clamp(0.0, 2.9)) as usize];
        let sex = ["f", "m"][usize::from(random.normal() > 0.0)];
        let line = format!("{id},{:.0},{sex},{stage}\n", 60.0 + 10.0 * random.normal());
        let blood =
            format!("{id}\t{:.1}\t{:.1}\n", 13.0 - lab, (1.5 + 0.5 * random.normal() + 0.5 * lab).exp());
        let expression = (0..4).map(|g| format!(",{:.3}", random.normal() + if g < 2 { gene } else { 0.0 }));
        let expression = format!("{id}{}\n", expression.collect::<String>());
        let days = 200.0 + 1500.0 * random.uniform() * if yes { 0.5 } else { 1.0 };
        let _ = writeln!(targets, "{id},{},{days:.0},{}", if yes { "yes" } else { "no" }, u8::from(yes));
        if subject + 1 == n {
            break;
        }
        clinical += &line;
        if subject % 5 != 4 {
            labs += &blood;
        }
        if subject % 7 != 6 {
            genes += &expression;
        }
    }
    vec![
        ("roster.csv", roster),
        ("clinical.csv", clinical),
        ("labs.tsv", labs),
        ("genes.csv", genes),
        ("targets.csv", targets),
    ]
}

/// SplitMix64 (Steele, Lea and Flood 2014), so that the fixture is the same everywhere.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Twelve uniform numbers make a nearly normal one.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}
