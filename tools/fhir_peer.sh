#!/usr/bin/env bash
# FHIR resources a second: this project's reader and Python's fhir.resources on the same NDJSON, one after the
# other. Usage: tools/fhir_peer.sh [COUNT]; needs python3 with venv.
set -euo pipefail
cd "$(dirname "$0")/.."
count=${1:-20000}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "fhir.resources==8.3.0"
python3 tools/fhir_peer.py make "$work/all.ndjson" "$count"
cargo build --quiet --release -p chiasm-ingest --example fhir_rate
"${CARGO_TARGET_DIR:-target}/release/examples/fhir_rate" "$work/all.ndjson"
"$work/venv/bin/python" tools/fhir_peer.py parse "$work/all.ndjson"
