#!/usr/bin/env python3
"""Writes sites/gse7390/data/gse7390.csv from the ARFF file that scikit-survival ships.

    pip download --no-deps scikit-survival==0.28.0 -d /tmp/sksurv
    python3 tools/bundle_gse7390.py /tmp/sksurv/scikit_survival-0.28.0-*.whl

Needs only the standard library. Every figure is copied as the text that stands in the ARFF file; what
changes is the layout: a header, a `subject` column (P001 to P198 in file order, because the source
carries no patient id), and three columns renamed (t.tdm -> days_to_distant_metastasis_or_last_information,
e.tdm -> distant_metastasis, size -> size_cm).
"""

import csv
import hashlib
import sys
import zipfile
from pathlib import Path

MEMBER = "sksurv/datasets/data/breast_cancer_GSE7390-metastasis.arff"
RENAMED = {
    "t.tdm": "days_to_distant_metastasis_or_last_information",
    "e.tdm": "distant_metastasis",
    "size": "size_cm",
}
TARGET = Path(__file__).resolve().parent.parent / "sites/gse7390/data/gse7390.csv"


def main(wheel: str) -> None:
    data = zipfile.ZipFile(wheel).read(MEMBER)
    names, rows, in_data = [], [], False
    for line in data.decode("ascii").splitlines():
        if not line.strip() or line.startswith("%"):
            continue
        if in_data:
            rows.append([cell.strip().strip("'\"") for cell in next(csv.reader([line], quotechar="'"))])
        elif line.lower().startswith("@attribute"):
            names.append(line.split()[1])
        elif line.lower().startswith("@data"):
            in_data = True
    assert len(names) == 82 and len(rows) == 198 and all(len(row) == 82 for row in rows)
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    with TARGET.open("w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["subject"] + [RENAMED.get(name, name) for name in names])
        out.writerows([f"P{i:03}"] + row for i, row in enumerate(rows, 1))
    print("ARFF sha256", hashlib.sha256(data).hexdigest())
    print("CSV  sha256", hashlib.sha256(TARGET.read_bytes()).hexdigest(), len(rows), "rows")


if __name__ == "__main__":
    main(sys.argv[1])
