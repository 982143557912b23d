#!/usr/bin/env bash
# FHIR resources a second: this project's reader, `chiasm ingest` into a new store, and Python's fhir.resources on
# the same NDJSON, in turns. Usage: tools/fhir_peer.sh [COUNT] [TURNS]; needs python3 with venv, or VENV with
# fhir.resources 8.3.0 in it. Prints the best of each and the ratios.
set -euo pipefail
cd "$(dirname "$0")/.."
count=${1:-50000} turns=${2:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
venv=${VENV:-$work/venv}
if [ ! -x "$venv/bin/python" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet "fhir.resources==8.3.0"
fi
built=${CARGO_TARGET_DIR:-target}/release
cargo build --quiet --release --workspace --example fhir_rate --bin chiasm
python3 tools/fhir_peer.py make "$work/all.ndjson" "$count"
# The peer gets fewer: its rate does not depend on their number.
head -n "$((count / 10))" "$work/all.ndjson" >"$work/some.ndjson"
for _ in $(seq "$turns"); do
  "$built/examples/fhir_rate" "$work/all.ndjson" | tee -a "$work/ours"
  "$venv/bin/python" tools/fhir_peer.py parse "$work/some.ndjson" | tee -a "$work/theirs"
  rm -rf "$work/store"
  began=$(date +%s.%N)
  "$built/chiasm" ingest "$work/all.ndjson" --site plain --store "$work/store" --quiet >/dev/null
  python3 -c "import sys; print(f'chiasm ingest: {$count / (float(sys.argv[2]) - float(sys.argv[1])):.0f}/s')" \
    "$began" "$(date +%s.%N)" | tee -a "$work/whole"
done
best() { sed 's/.*[ :]\([0-9]*\)\/s.*/\1/' "$1" | sort -n | tail -1; }
ours=$(best "$work/ours") whole=$(best "$work/whole") theirs=$(best "$work/theirs")
awk -v a="$ours" -v b="$whole" -v c="$theirs" \
  'BEGIN { printf "best: reader %d/s, into a store %d/s, fhir.resources %d/s; ratios %.0f and %.0f\n", a, b, c, a / c, b / c }'
