#!/bin/sh
# Runs pancancer-survival on every cancer of a data folder, prints the table, and puts it into the recipe's README.
#   tools/pancancer_table.sh DATA [RUNS]      DATA: the folder with datasets_csv_mutsig/ and splits/; RUNS: runs/pancancer
# CHIASM names the program (chiasm); CANCERS the types (all whose file is in DATA). Runs that are there are kept.
set -eu
data="$1"
runs="${2:-runs/pancancer}"
chiasm="${CHIASM:-chiasm}"
cancers="${CANCERS:-$(ls "$data"/datasets_csv_mutsig | sed -n 's/^tcga_\(.*\)_all_clean\.csv\.zip$/\1/p')}"
for cancer in $cancers; do
    echo "$cancer" >&2
    "$chiasm" run recipes/pancancer-survival --data "$data" --out "$runs/$cancer" --set "cancer=$cancer" --quiet >&2
done
python3 - "$runs" $cancers <<'PY'
import json, re, sys

runs, cancers = sys.argv[1], sys.argv[2:]
figure = lambda x: f"{x:.3f}".replace("0.", ".", 1)
signed = lambda x: f"{x:+.3f}".replace("0.", ".", 1).replace("-", "−")
table = []
table.append("| cancer | n | deaths | clinical | RNA | copy number | mutations | stacked | concat | chosen in the fold | less the best single chosen there | p (Holm) | verdict |")
table.append("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
for cancer in cancers:
    report = json.load(open(f"{runs}/{cancer}/report.json"))
    models = {m["name"]: m["metrics"]["c_index"]["estimate"] for m in report["models"] if "c_index" in m["metrics"]}
    c = lambda name: figure(models[name]) if name in models else "–"
    columns = [c(name) for name in ("clinical", "rna", "copy_number", "mutations", "stacked", "concat")]
    decides = next((x for x in report["comparisons"] if x["decides"]), None)
    chosen = c(decides["a"]) if decides else "–"
    gap = p = "–"
    if decides:
        gap = signed(decides["difference"])
        if decides.get("low") is not None:
            gap += f" ({signed(decides['low'])} to {signed(decides['high'])})"
        if decides.get("p_holm") is not None:
            p = "< .001" if decides["p_holm"] < 0.001 else figure(decides["p_holm"])
    table.append(f"| {cancer} | {report['n']} | {report['events']} | " + " | ".join(columns) + f" | {chosen} | {gap} | {p} | `{report['verdict']}` |")
print("\n".join(table))
page = "recipes/pancancer-survival/README.md"
text = open(page).read()
new = re.sub(r"(<!-- table -->\n).*?(<!-- end -->)", lambda m: m[1] + "\n".join(table) + "\n" + m[2], text, flags=re.DOTALL)
open(page, "w").write(new)
PY
