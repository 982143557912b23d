"""Compares who is who in a store with the truth of a synthetic hospital: linkage_hospital.py CHIASM STORE HOSPITAL

pip: blake3, pyarrow. Prints pairs found, missed and false by the two systems, false merges, clocks, and why pairs were missed.
"""
import itertools, json, struct, subprocess, sys
from collections import Counter, defaultdict

import blake3
import pyarrow.parquet as pq

chiasm, store, hospital = sys.argv[1:4]
key = open(f"{store}/key", "rb").read()
SITE = "synthetic-hospital"


def record(authority, identifier):
    """The number of a record: chiasm_store::Store::record."""
    digest = blake3.blake3(struct.pack("<Q", len(authority)) + authority.encode() + identifier.encode(), key=key).digest()
    return struct.unpack("<Q", digest[:8])[0] >> 1


def ask(sql):
    return json.loads(subprocess.run([chiasm, "query", "--store", store, "--json", sql], check=True, capture_output=True).stdout)


def place(row):
    """The system, and the authority under which the store has its records; None for what is no record."""
    source, authority, kind = row["source"], row["authority"], row["kind"]
    if kind == "resource":
        return "EHR (FHIR)", f"{SITE}/Patient"
    if source == "hl7" and kind == "mrn":
        return ("EHR (HL7)" if authority == "CHIASM_EHR" else "LIS"), authority
    if source == "pacs" and kind == "mrn":
        return "PACS", authority
    if kind in ("sample", "record", "device"):
        return {"sample": "samples", "record": "ECG", "device": "wearables"}[kind], f"{SITE}|sample"
    return None


there = {r["record_id"] for r in ask("SELECT DISTINCT record_id FROM events WHERE record_id IS NOT NULL")}
subject = {r["record_id"]: r["subject_id"] for r in ask("SELECT record_id, subject_id FROM links")}
who, lost = {}, Counter()
for row in pq.read_table(f"{hospital}/truth/truth.parquet").to_pylist():
    found = place(row)
    if found is None:
        continue
    number = record(found[1], row["identifier"])
    if number in there:
        who[number] = (row["person"], found[0], row["defects"])
    elif number not in who:
        lost[found[0]] += 1
print(f"{len(who)} records of {len({p for p, _, _ in who.values()})} people; {len(there - who.keys())} records that the truth does "
      f"not name; not in the store: {dict(lost)}")

people, groups = defaultdict(list), defaultdict(list)
for number, (person, _, _) in who.items():
    people[person].append(number)
    groups[subject.get(number, number)].append(number)
right, missed, why = Counter(), Counter(), Counter()
examples = defaultdict(list)
for numbers in people.values():
    for a, b in itertools.combinations(sorted(numbers, key=lambda n: who[n][1]), 2):
        pair = (who[a][1], who[b][1])
        if subject.get(a, a) == subject.get(b, b):
            right[pair] += 1
        else:
            missed[pair] += 1
            defects = ";".join(sorted(set(f"{who[a][2]};{who[b][2]}".split(";")) - {""})) or "no defect"
            why[defects] += 1
            examples[pair].append((a, b))
print(f"{'pairs of one person':32} {'found':>8} {'missed':>8}  recall")
for pair in sorted(right.keys() | missed.keys()):
    n = right[pair] + missed[pair]
    print(f"{' - '.join(pair):32} {right[pair]:8} {missed[pair]:8}  {right[pair] / n:.4f}")
total = sum(right.values()) + sum(missed.values())
false = [g for g in groups.values() if len({who[n][0] for n in g}) > 1]
wrong = sum(who[a][0] != who[b][0] for g in groups.values() for a, b in itertools.combinations(g, 2))
print(f"{'all':32} {sum(right.values()):8} {sum(missed.values()):8}  {sum(right.values()) / max(1, total):.4f}")
print(f"precision {sum(right.values()) / max(1, sum(right.values()) + wrong):.6f}: {wrong} false pairs in {len(false)} patients")
whole = sum(len({subject.get(n, n) for n in numbers}) == 1 for numbers in people.values())
print(f"{whole} of {len(people)} people are one patient each")
review = {(min(r["record_l"], r["record_r"]), max(r["record_l"], r["record_r"])): r["reason"] for r in
          ask("SELECT record_l, record_r, reason FROM pairs WHERE state = 'review'")}
reasons = Counter((reason, a in who and b in who and who[a][0] == who[b][0]) for (a, b), reason in review.items())
print("for review, by reason and whether they are one person:", {f"{k[0]} {'same' if k[1] else 'other'}": n for k, n in sorted(reasons.items())})
print("missed pairs by defect:", why.most_common(12))
in_review = sum((min(a, b), max(a, b)) in review for pairs in examples.values() for a, b in pairs)
print(f"of the missed pairs {in_review} are for review themselves")
for pair, some in sorted(examples.items()):
    for a, b in some[: int(sys.argv[4]) if len(sys.argv) > 4 else 0]:
        print(" ", pair, a, b, who[a][2], "|", who[b][2], review.get((min(a, b), max(a, b))))
print("clocks, seconds ahead:", open(f"{hospital}/truth/clocks.csv").read().split()[1:])
for c in ask("SELECT * FROM clocks"):
    print(f"  {c['system']} against {c['against']}: {c['ahead_s']:.1f} ({c['low_s']:.1f} to {c['high_s']:.1f}), half within "
          f"{c['spread_s']:.1f} s, {c['pairs']} moments")
