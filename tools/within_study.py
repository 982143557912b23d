#!/usr/bin/env python3
"""Harrell's C of a gbmlgg-survival run within glioblastoma and within lower-grade glioma (needs pyarrow).

    python3 tools/within_study.py RUN DATA      DATA: the folder with datasets_csv_mutsig/

Within each fold, mean over folds, as in the report. Which study a patient is from is read from the OncoTree code.
"""

import csv
import io
import sys
import zipfile

import pyarrow.parquet as parquet


def concordance(rows):
    """Pairs in order, pairs that can be compared; rows of (time, death, risk)."""
    right = pairs = 0
    for early in (r for r in rows if r[1]):
        for late in (r for r in rows if r[0] > early[0]):
            pairs += 1
            right += (early[2] > late[2]) + 0.5 * (early[2] == late[2])
    return right / pairs


def main(run, data):
    archive = zipfile.ZipFile(f"{data}/datasets_csv_mutsig/tcga_gbmlgg_all_clean.csv.zip")
    table = csv.DictReader(io.TextIOWrapper(archive.open(archive.namelist()[0])))
    known = {row["case_id"]: row for row in table}
    held_out = parquet.read_table(f"{run}/predictions.parquet").to_pylist()
    models = [name for name in held_out[0] if name not in ("subject", "repeat", "fold", "present", "low", "high")]
    for study, inside in [("all", lambda code: True), ("GBM", lambda code: code == "GBM"), ("LGG", lambda code: code != "GBM")]:
        rows = [r for r in held_out if inside(known[r["subject"]]["oncotree_code"])]
        print(f"{study}, {len(rows)} patients:", end="")
        for model in models:
            folds = {}
            for r in rows:
                k = known[r["subject"]]
                folds.setdefault(r["fold"], []).append((float(k["survival_months"]), float(k["censorship"]) == 0, r[model]))
            print(f"  {model} {sum(map(concordance, folds.values())) / len(folds):.3f}", end="")
        print()


if __name__ == "__main__":
    main(*sys.argv[1:])
