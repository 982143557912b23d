#!/bin/sh
# Compares every WFDB record in a folder with what wfdb-python reads: values, units, times, annotations.
#   tools/wfdb_peer.sh FOLDER [VENV]      VENV: target/wfdb unless given; made, with wfdb 4.3.1, where absent
# Prints the lines that differ; those of tools/wfdb_exceptions.txt are expected and say why.
set -eu
folder="$1"
venv="${2:-target/wfdb}"
here="$(dirname "$0")"
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -c "import wfdb, soundfile, blake3" 2>/dev/null ||
    "$venv/bin/pip" install --quiet wfdb==4.3.1 soundfile blake3
out="$(mktemp -d)"
"$venv/bin/python" "$here/wfdb_peer.py" "$folder" >"$out/theirs"
cargo build --quiet --release --workspace --example wfdb_dump
"${CARGO_TARGET_DIR:-target}/release/examples/wfdb_dump" "$folder" >"$out/ours"
echo "$(grep -c record "$out/ours") records here, $(grep -c record "$out/theirs") there; lines that differ:"
diff "$out/theirs" "$out/ours" || true
