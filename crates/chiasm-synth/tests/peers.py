"""Reads a synthetic hospital with other people's readers and says what each made of it.

    cargo run --release -p chiasm-synth --example hospital -- 100 1 /tmp/hospital
    pip install pydicom wfdb fhir.resources hl7apy tifffile imagecodecs pyarrow
    python crates/chiasm-synth/tests/peers.py /tmp/hospital
"""
import collections, csv, gzip, importlib, json, math, pathlib, sys

out = pathlib.Path(sys.argv[1])
bad = collections.Counter()


def failed(kind, error):
    bad[kind] += 1
    if bad[kind] <= 3:
        print("FAILED", kind, str(error)[:600])


def fhir():
    counts = collections.Counter()
    for path in sorted((out / "ehr").glob("*.ndjson")):
        kind = path.name.split(".")[0]
        # R4B is R4 for every type that is exported.
        of = getattr(importlib.import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)
        for line in path.open(encoding="utf-8"):
            counts[kind] += 1
            try:
                of.parse_obj(json.loads(line)) if hasattr(of, "parse_obj") else of.model_validate(json.loads(line))
            except Exception as e:
                failed(kind, e)
    print("fhir.resources", dict(counts))


def hl7():
    from hl7apy.parser import parse_message
    from hl7apy.consts import VALIDATION_LEVEL
    counts = collections.Counter()
    for path in sorted((out / "hl7").rglob("*.hl7")):
        for text in path.read_bytes().decode().split("MSH|")[1:]:
            if counts[path.parent.name] >= 300:
                break
            counts[path.parent.name] += 1
            try:
                message = parse_message("MSH|" + text, validation_level=VALIDATION_LEVEL.TOLERANT)
                # hl7apy asks for every member of the choice OBR, RQD, RQ1, ... of ORM_O01 at once; ORM is parsed only.
                if path.parent.name != "orm":
                    message.validate()
            except Exception as e:
                failed("hl7 " + path.parent.name, e)
    print("hl7apy", dict(counts))


def dicom():
    import pydicom
    import pyarrow.parquet as pq
    events = pq.read_table(out / "truth/events.parquet").to_pylist()
    lesions = collections.defaultdict(list)
    for e in events:
        if e["code"] == "lesion":
            lesions[e["key"]].append(e)
    counts, contrast = collections.Counter(), []
    for path in sorted((out / "pacs").rglob("*.dcm")):
        try:
            d = pydicom.dcmread(path)
            pixels = d.pixel_array.astype(float)
            str(d.PatientName), d.AcquisitionTime, d.IssuerOfPatientID
        except Exception as e:
            failed("dicom", e)
            continue
        counts[d.Modality] += 1
        for e in lesions[d.StudyInstanceUID]:
            if d.Modality == "CT" and abs(e["image"] - (d.InstanceNumber - 1)) > 0.5:
                continue
            x, y = int(e["x"]), int(e["y"])
            around = [pixels[min(max(int(y + 14 * math.sin(a)), 0), d.Rows - 1),
                             min(max(int(x + 14 * math.cos(a)), 0), d.Columns - 1)] for a in range(6)]
            contrast.append(pixels[y, x] - sum(around) / 6)
    print("pydicom", dict(counts), f"lesions {len(contrast)}, brighter than around: {sum(c > 0 for c in contrast)}")


def slides():
    import tifffile
    n = 0
    for path in sorted((out / "lims/slides").rglob("*.tif")):
        try:
            with tifffile.TiffFile(path) as t:
                sides = [p.shape[0] for p in t.pages]
                assert t.pages[0].is_tiled and sides == sorted(sides, reverse=True), sides
                t.pages[0].asarray(), t.pages[-1].asarray()
            n += 1
        except Exception as e:
            failed("slide", e)
    print("tifffile", n)


def vcf():
    n, rows = 0, 0
    for path in sorted((out / "lims/vcf").rglob("*.vcf.gz")):
        lines = [l for l in gzip.open(path, "rt") if not l.startswith("#")]
        n, rows = n + 1, rows + len(lines)
    print("gzip", n, "VCF,", rows, "rows")


def ecg():
    import wfdb
    n = 0
    for path in sorted((out / "devices/ecg").rglob("*.hea")):
        try:
            r = wfdb.rdrecord(str(path)[:-4], physical=False)
            sums = [int(c.sum()) & 0xFFFF for c in r.d_signal.T.astype("int64")]
            assert sums == [c & 0xFFFF for c in r.checksum], "checksum"
            assert list(r.d_signal[0]) == r.init_value
            n += 1
        except Exception as e:
            failed("ecg", e)
    print("wfdb", n)


def truth():
    import pyarrow.parquet as pq
    p = pq.read_table(out / "truth/persons.parquet")
    print("persons", p.num_rows, "columns", p.num_columns)
    for name in ("truth", "events", "consents"):
        print(name, pq.read_table(out / f"truth/{name}.parquet").num_rows)
    for name in ("lims/specimens.csv", "devices/enrolment.csv"):
        rows = list(csv.DictReader((out / name).open(encoding="utf-8")))
        print(name, len(rows), all(r["label"] == "CHIASM SYNTHETIC HOSPITAL" for r in rows))


for check in (fhir, hl7, dicom, slides, vcf, ecg, truth):
    check()
print("failures:", dict(bad) or "none")
sys.exit(bool(bad))
