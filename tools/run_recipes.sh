#!/bin/sh
# Runs every shipped recipe and writes the figures into README.md and recipes/*/README.md.
#   tools/run_recipes.sh DATA [RUNS]      DATA: a folder with one folder per data set; RUNS: runs
# CHIASM names the program (chiasm). Runs that are finished are kept: remove RUNS to have them anew.
set -eu
data="$1"
runs="${2:-runs}"
chiasm="${CHIASM:-chiasm}"
run() {
    echo "$1" >&2
    "$chiasm" run "recipes/$1" --data "$2" --out "$runs/$1" --quiet >"$runs/$1.txt"
}
mkdir -p "$runs"
run gse7390-metastasis sites/gse7390/data
run transneo-pcr "$data/transneo"
run gbmlgg-survival "$data/porpoise"
run hancock-recurrence "$data/hancock"
run hancock-survival "$data/hancock"
# Without the column that carries much of the signal and has no published definition.
mkdir -p "$runs/site-without"
sed 's/"sex", "primarily_metastasis"/"sex"/' sites/hancock/site.toml >"$runs/site-without/site.toml"
echo hancock-recurrence-without >&2
"$chiasm" run recipes/hancock-recurrence --site "$runs/site-without" --data "$data/hancock" \
    --out "$runs/hancock-recurrence-without" --quiet >"$runs/hancock-recurrence-without.txt"
# Without the images.
mkdir -p "$runs/recipe-without"
perl -0pe 's/\[\[modalities\]\]\nname = "tissue"\n.*\n\n//; s/, encoders = \{ tissue = \{.*?\} \}//' \
    recipes/hancock-recurrence/recipe.toml >"$runs/recipe-without/recipe.toml"
echo hancock-recurrence-without-tissue >&2
"$chiasm" run "$runs/recipe-without" --data "$data/hancock" \
    --out "$runs/hancock-recurrence-without-tissue" --quiet >"$runs/hancock-recurrence-without-tissue.txt"
python3 tools/refresh_results.py "$runs"
tools/pancancer_table.sh "$data/porpoise" "$runs/pancancer"
