#!/bin/sh
# MEDS in and out again, judged by the standard's own package: the fixture, and ROWS made-up rows.
#
#     tools/meds_peer.sh [CHIASM] [ROWS]
set -eu
cd "$(dirname "$0")/.."
chiasm=${1:-target/release/chiasm}
rows=${2:-1000000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q install "meds==0.4.*" pyarrow polars numpy
peer="$work/venv/bin/python tools/meds_peer.py"

round() {
    $peer validate "$1"
    echo "ingest:"; time "$chiasm" --quiet ingest "$1" --store "$work/$2.store"
    echo "export:"; time "$chiasm" --quiet export meds --store "$work/$2.store" --out "$work/$2"
    $peer validate "$work/$2"
    $peer compare "$1" "$work/$2"
    du -sk "$1" "$work/$2.store" "$work/$2" | sed "s|$work/||"
}

round crates/chiasm-ingest/tests/fixtures/meds fixture
$peer make "$work/made" "$rows"
round "$work/made" made_again
