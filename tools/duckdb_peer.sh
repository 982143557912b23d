#!/bin/sh
# An OMOP data set in a DuckDB database, against the same tables as files: both give the same events.
#
#     tools/duckdb_peer.sh [CHIASM]
set -eu
cd "$(dirname "$0")/.."
chiasm=${1:-target/release/chiasm}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" -q install duckdb-cli
PATH="$work/venv/bin:$PATH"

sql="CREATE SCHEMA cdm;"
for file in crates/chiasm-ingest/tests/fixtures/omop/*.csv; do
    table=$(basename "$file" .csv)
    # Some rows are broken on purpose, which misleads DuckDB's guess; CONCEPT has tabs.
    case $(head -1 "$file") in *,*) mark=, ;; *) mark='\t' ;; esac
    sql="$sql CREATE TABLE cdm.$table AS SELECT * FROM read_csv('$file', all_varchar = true, header = true, delim = '$mark', ignore_errors = true);"
done
for file in crates/chiasm-ingest/tests/fixtures/omop/*.parquet; do
    sql="$sql CREATE TABLE cdm.$(basename "$file" .parquet) AS SELECT * FROM read_parquet('$file');"
done
duckdb -batch -no-init "$work/omop.duckdb" -c "$sql" < /dev/null

asked="SELECT code, time, numeric_value, text_value, unit, encounter FROM events ORDER BY 1, 2, 3, 4, 5, 6"
"$chiasm" --quiet ingest crates/chiasm-ingest/tests/fixtures/omop --store "$work/files.store"
"$chiasm" --quiet ingest "$work/omop.duckdb" --store "$work/database.store"
for store in files database; do
    "$chiasm" --json query --store "$work/$store.store" "$asked" > "$work/$store.json"
    "$chiasm" quarantine list --store "$work/$store.store"
done
cmp "$work/files.json" "$work/database.json"
echo "the same $("$chiasm" --json query --store "$work/files.store" "SELECT count(*) AS events FROM events")"
