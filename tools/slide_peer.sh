#!/bin/sh
# Compares a slide's level with tifffile, tile by tile.
#   tools/slide_peer.sh SLIDE [LEVEL [VENV [GOLDEN]]]      LEVEL: 0, VENV: target/slides (made where absent)
set -eu
level="${2:-0}"
venv="${3:-target/slides}"
here="$(dirname "$0")"
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -c "import tifffile, imagecodecs" 2>/dev/null ||
    "$venv/bin/pip" install --quiet tifffile imagecodecs
raw="$(mktemp)"
shape="$(cargo run --quiet --release -p chiasm-ingest --example slide_dump -- "$1" "$level" "$raw")"
# shellcheck disable=SC2086
"$venv/bin/python" "$here/slide_peer.py" "$1" "$level" "$raw" $shape ${4:-}
rm "$raw"
