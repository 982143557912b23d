#!/usr/bin/env bash
# HL7 v2 messages a second: this project's reader, `chiasm ingest` into a new store, hl7apy and python-hl7 on the
# same messages, in turns. Usage: tools/hl7_peer.sh [COUNT] [TURNS]; needs python3 with venv, or VENV with hl7apy
# 1.3.5 and hl7 0.4.5 in it. Prints the best of each and the ratios.
set -euo pipefail
cd "$(dirname "$0")/.."
count=${1:-50000} turns=${2:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
venv=${VENV:-$work/venv}
if [ ! -x "$venv/bin/python" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet "hl7apy==1.3.5" "hl7==0.4.5"
fi
built=${CARGO_TARGET_DIR:-target}/release
cargo build --quiet --release --workspace --example hl7_rate --bin chiasm
python3 tools/hl7_peer.py make "$work/all.hl7" "$count"
# The peers get fewer: their rate does not depend on the number.
python3 tools/hl7_peer.py make "$work/some.hl7" "$((count / 25))"
for _ in $(seq "$turns"); do
  "$built/examples/hl7_rate" "$work/all.hl7" | tee -a "$work/ours"
  "$venv/bin/python" tools/hl7_peer.py hl7apy "$work/some.hl7" | tee -a "$work/hl7apy"
  "$venv/bin/python" tools/hl7_peer.py python-hl7 "$work/some.hl7" | tee -a "$work/python-hl7"
  rm -rf "$work/store"
  began=$(date +%s.%N)
  "$built/chiasm" ingest "$work/all.hl7" --site plain --store "$work/store" --quiet >/dev/null
  python3 -c "import sys; print(f'chiasm ingest: {$count / (float(sys.argv[2]) - float(sys.argv[1])):.0f}/s')" \
    "$began" "$(date +%s.%N)" | tee -a "$work/whole"
done
best() { sed 's/.*[ :]\([0-9]*\)\/s.*/\1/' "$1" | sort -n | tail -1; }
awk -v a="$(best "$work/ours")" -v b="$(best "$work/whole")" -v c="$(best "$work/hl7apy")" -v d="$(best "$work/python-hl7")" \
  'BEGIN { printf "best: reader %d/s, into a store %d/s, hl7apy %d/s, python-hl7 %d/s; ratios of the reader %.0f and %.1f\n", a, b, c, d, a / c, a / d }'
