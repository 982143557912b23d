//! A disk that fills up while a run or answers are written. A limit on the size of files stands for it:
//! the system refuses the write in the same place, with another reason.
#![cfg(unix)]

use crate::toy::{RUN, Toy, succeeds};
use std::process::{Command, Output};

/// The program where no file may grow past `limit` KiB.
fn limited(toy: &Toy, limit: usize, arguments: &[&str]) -> Output {
    // Ignored, SIGXFSZ becomes an error that `write` returns.
    let script = format!("trap '' XFSZ; ulimit -f {limit}; exec \"$0\" \"$@\"");
    let mut command = Command::new("bash");
    command.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_chiasm")).args(arguments).current_dir(toy.path("."));
    command.env_remove("CHIASM_DATA").output().unwrap()
}

#[test]
fn a_run_stops_without_half_written_files_and_goes_on_later() {
    let whole = Toy::trained();
    let largest = |name: &str| whole.bytes(name).len();
    let toy = Toy::new();
    // From "not even run.json" to "everything but the report".
    let last = largest("run/report.json").max(largest("run/report.html")).div_ceil(1024) - 1;
    for limit in [0, 1, 4, 12, last] {
        let output = limited(&toy, limit, &RUN);
        toy.refused(&output, &["cannot write run/"]);
        assert!(!toy.path("run/report.html").exists(), "at {limit} KiB");
    }
    succeeds(&toy.run());
    assert!(toy.files("run") == whole.files("run"), "another result after a full disk");
}

#[test]
fn answers_are_whole_or_absent() {
    let toy = Toy::trained();
    let predict = ["predict", "run", "--data", "data", "--out", "answers.csv"];
    toy.refused(&limited(&toy, 2, &predict), &["cannot write answers.csv"]);
    // What was there before stays.
    succeeds(&toy.predict());
    let before = toy.bytes("answers.csv");
    let output = limited(&toy, 2, &predict);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(toy.bytes("answers.csv"), before);
}

#[test]
fn a_bundled_data_set_is_whole_or_absent() {
    let toy = Toy::new();
    toy.refused(&limited(&toy, 8, &["data", "get", "gse7390", "--into", "sets"]), &["cannot write sets/gse7390/gse7390.csv"]);
}

#[test]
fn a_place_that_cannot_be_written() {
    let toy = Toy::new();
    toy.write("file", b"in the way");
    toy.refused(&toy.run_into("file/run"), &["cannot write file/run"]);
    succeeds(&toy.run());
    let output = toy.chiasm(&["predict", "run", "--data", "data", "--out", "no/such/folder/answers.csv"]);
    toy.refused(&output, &["cannot write no/such/folder/answers.csv"]);
}
