"""Whether `chiasm export meds` gives a MEDS data set back as it was, by the standard's own package.

    python tools/meds_peer.py validate FOLDER            # every file by meds' validators, sorted, contiguous
    python tools/meds_peer.py compare IN OUT             # the same rows and metadata, to the bit
    python tools/meds_peer.py make FOLDER ROWS [SEED]    # a large made-up set

Packages: meds==0.4.*, pyarrow, polars.
"""

import json
import struct
import sys
from pathlib import Path

import meds
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

NAMED = ["subject_id", "time", "code", "numeric_value", "text_value"]


def shards(root):
    root = Path(root) / "data"
    return {str(p.relative_to(root)): p for p in sorted(root.rglob("*.parquet"))}


def validate(root):
    """Raises where a rule is broken; gives rows and subjects."""
    root, rows, seen, codes = Path(root), 0, {}, set()
    for name, path in shards(root).items():
        table = pq.read_table(path)
        meds.DataSchema.validate(table)
        frame = pl.from_arrow(table.select(["subject_id", "time", "code"]))
        order = frame.with_row_index("row")
        runs = order.with_columns(run=pl.col("subject_id").rle_id()).group_by("subject_id").agg(pl.col("run").n_unique())
        assert (runs["run"] == 1).all(), f"{name}: a subject's rows are not together"
        time = pl.col("time").fill_null(pl.lit(-(2**63)).cast(pl.Datetime("us")))
        before = order.with_columns(t=time.cast(pl.Int64)).with_columns(last=pl.col("t").shift(1).over("subject_id"))
        assert (before["last"].fill_null(-(2**63)) <= before["t"]).all(), f"{name}: not in the order of time"
        for subject in frame["subject_id"].unique():
            assert seen.setdefault(subject, name) == name, f"{subject}: in two files"
        codes |= set(frame["code"].unique())
        rows += table.num_rows
    known = pq.read_table(root / meds.code_metadata_filepath)
    meds.CodeMetadataSchema.validate(known)
    assert codes <= set(known["code"].to_pylist()), "codes that codes.parquet does not have"
    if (root / meds.subject_splits_filepath).exists():
        meds.SubjectSplitSchema.validate(pq.read_table(root / meds.subject_splits_filepath))
    meds.DatasetMetadataSchema.validate(json.loads((root / meds.dataset_metadata_filepath).read_text()))
    return rows, len(seen)


def cells(column):
    """Cells that compare to the bit: floats by their bits."""
    bits = {pa.float32(): "<I", pa.float64(): "<Q"}.get(column.type)
    if bits is None:
        return [repr(v) for v in column.cast(pa.string()).to_pylist()] if pa.types.is_dictionary(column.type) else column.to_pylist()
    kind = np.uint32 if bits == "<I" else np.uint64
    plain = column.combine_chunks()
    values = np.frombuffer(plain.buffers()[1], dtype=kind)[plain.offset : plain.offset + len(plain)]
    return [None if not ok else int(v) for v, ok in zip(values, plain.is_valid().to_pylist())]


def frozen(value):
    if isinstance(value, (list, tuple)):
        return tuple(frozen(v) for v in value)
    if isinstance(value, dict):
        return tuple((k, frozen(v)) for k, v in value.items())
    return value


def rows(root):
    """All rows by shard, by subject, in order; and the columns with their types."""
    found, types = {}, {}
    for name, path in shards(root).items():
        table = pq.read_table(path)
        for field in table.schema:
            types[field.name] = str(field.type).replace("large_", "")
        columns = {n: cells(table[n]) for n in table.column_names}
        for i, subject in enumerate(columns["subject_id"]):
            row = {n: frozen(c[i]) for n, c in columns.items() if n != "subject_id" and c[i] is not None}
            found.setdefault((name, subject), []).append(row)
    return found, types


def compare(one, other):
    mine, types = rows(one)
    theirs, other_types = rows(other)
    assert mine.keys() == theirs.keys(), "other subjects, or in other shards"
    for key, expected in mine.items():
        assert expected == theirs[key], f"shard {key[0]}: a subject's rows differ"
    for name, kind in types.items():
        assert other_types.get(name) == kind, f"column {name}: {kind} became {other_types.get(name)}"
    assert set(other_types) - set(types) <= set(NAMED), "columns that were not there"
    for file in [meds.code_metadata_filepath, meds.subject_splits_filepath]:
        if (Path(one) / file).exists():
            a, b = pq.read_table(Path(one) / file), pq.read_table(Path(other) / file)
            if file == meds.code_metadata_filepath:
                # Codes that the set's own file forgot are told after the others.
                more = set(b["code"].to_pylist()[a.num_rows :])
                assert more == {r["code"] for rows in mine.values() for r in rows} - set(a["code"].to_pylist())
                b = b.slice(0, a.num_rows)
            for name in a.column_names:
                assert a[name].to_pylist() == b[name].to_pylist(), f"{file}: column {name} differs"
            assert set(b.column_names) - set(a.column_names) <= {"description", "parent_codes"}, f"{file}: more columns"
    a, b = ((Path(r) / meds.dataset_metadata_filepath) for r in (one, other))
    if a.exists():
        assert json.loads(a.read_text()) == json.loads(b.read_text()), "dataset.json differs"
    return sum(map(len, mine.values())), len(mine)


def make(root, n, seed=1):
    """A set of about n rows in ten shards, with columns of many types."""
    rng, root = np.random.default_rng(seed), Path(root)
    every = [f"LOINC//{i}-{i % 10}" for i in range(200)] + [f"LAB//{i}//mg/dL" for i in range(200)] + [f"ICD10CM//E{i}" for i in range(50)]
    subjects = np.arange(1, max(2, n // 200) + 1) * 7919
    for s, own in enumerate(np.array_split(subjects, 10)):
        m = n // 10
        subject = np.sort(rng.choice(own, m))
        time = rng.integers(0, 1_700_000_000_000_000, m)
        time = time[np.lexsort((time, subject))]
        value = rng.integers(0, 2**32, m, dtype=np.uint32).view(np.float32)
        table = pa.table({
            "subject_id": pa.array(subject, pa.int64()),
            "time": pa.array(time, pa.timestamp("us")),
            "code": pa.array(rng.choice(every, m)),
            "numeric_value": pa.array(value, pa.float32(), mask=rng.random(m) < 0.3),
            "text_value": pa.array(rng.choice(["positive", "", "\u00e4\n", "a longer text " * 5], m), pa.large_string(), mask=rng.random(m) < 0.8),
            "unit": pa.array(rng.choice(["mg/dL", "mmol/L", "{odd}"], m), mask=rng.random(m) < 0.5),
            "hadm_id": pa.array(rng.integers(-(2**62), 2**62, m), mask=rng.random(m) < 0.5),
            "ratio": pa.array(rng.integers(0, 2**63, m, dtype=np.uint64).view(np.float64), mask=rng.random(m) < 0.5),
        })
        path = root / "data" / ("train" if s < 8 else "held_out") / f"{s}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path)
    (root / "metadata").mkdir(exist_ok=True)
    pq.write_table(pa.table({"code": every, "description": [c.lower() for c in every],
                             "parent_codes": pa.array([None] * len(every), pa.list_(pa.string()))}), root / meds.code_metadata_filepath)
    pq.write_table(pa.table({"subject_id": pa.array(subjects), "split": ["train"] * len(subjects)}), root / meds.subject_splits_filepath)
    (root / meds.dataset_metadata_filepath).write_text(json.dumps({"dataset_name": "made up", "meds_version": meds.__version__}))
    return n, len(subjects)


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    if what == "make":
        arguments[1:] = [int(a) for a in arguments[1:]]
    n, subjects = {"validate": validate, "compare": compare, "make": make}[what](*arguments)
    print(f"{what}: {n} rows of {subjects} subjects, nothing wrong")
