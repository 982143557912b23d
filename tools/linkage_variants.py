"""Tables that nobody tuned on: made from the values of FEBRL1 and FEBRL2 by other errors, sizes and layouts.

linkage_variants.py make FEBRL_FOLDER OUT      writes OUT/NAME.a.csv (and NAME.b.csv) and OUT/NAME.truth.csv
linkage_variants.py score OUT CHIASM           links each with `CHIASM link --records` and prints F1 at 0.5
linkage_variants.py splink OUT                 the same with Splink 5.0.0, on names, birth, house number, postcode
"""
import csv, random, subprocess, sys

COLUMNS = ["given_name", "surname", "street_number", "address_1", "address_2", "suburb", "postcode", "state",
           "date_of_birth", "phone_number", "sex"]
LETTERS = "abcdefghijklmnopqrstuvwxyz"
OCR = [("l", "1"), ("o", "0"), ("m", "rn"), ("s", "5"), ("b", "8"), ("h", "li")]
SOUND = [("ph", "f"), ("ck", "k"), ("ie", "y"), ("ey", "y"), ("th", "t"), ("c", "k"), ("z", "s"), ("ll", "l"), ("nn", "n")]


def pool(folder):
    rows = []
    for name in ("dataset1.csv", "dataset2.csv"):
        with open(f"{folder}/{name}") as f:
            for row in csv.DictReader(f, skipinitialspace=True):
                if "org" in row["rec_id"]:
                    rows.append({k: v.strip() for k, v in row.items()})
    return {c: [r[c] for r in rows] for c in rows[0]}, [(r["suburb"], r["postcode"], r["state"]) for r in rows]


def person(draw, values, places):
    suburb, postcode, state = draw.choice(places)
    p = {c: draw.choice(values[c]) for c in ("given_name", "surname", "street_number", "address_1", "address_2")}
    p.update(suburb=suburb, postcode=postcode, state=state, sex=draw.choice("mf"))
    p["date_of_birth"] = f"{draw.randint(1910, 2005)}{draw.randint(1, 12):02}{draw.randint(1, 28):02}"
    p["phone_number"] = f"0{draw.choice('23478')} {draw.randint(10000000, 99999999)}"
    return p


def typo(draw, s):
    if len(s) < 2:
        return s + draw.choice(LETTERS)
    i = draw.randrange(len(s) - 1)
    own = "0123456789" if s[i].isdigit() else LETTERS
    return draw.choice([s[:i] + s[i + 1:], s[:i] + s[i + 1] + s[i] + s[i + 2:], s[:i] + draw.choice(own) + s[i + 1:],
                        s[:i] + draw.choice(own) + s[i:]])


def corrupt(draw, p, values, times, places):
    q = dict(p)
    for _ in range(draw.randint(1, times)):
        c, r = draw.choice(COLUMNS), draw.random()
        if r < 0.12:
            q[c] = ""
        elif r < 0.17:
            q["given_name"], q["surname"] = q["surname"], q["given_name"]
        elif r < 0.20:
            q["address_1"], q["address_2"] = q["address_2"], q["address_1"]
        elif r < 0.26 and c == "date_of_birth" and len(q[c]) == 8:
            q[c] = q[c][:4] + q[c][6:] + q[c][4:6]
        elif r < 0.32:
            q["suburb"], q["postcode"], q["state"] = draw.choice(places)
            q["street_number"], q["address_1"] = draw.choice(values["street_number"]), draw.choice(values["address_1"])
        elif r < 0.42 and c in ("given_name", "surname"):
            a, b = draw.choice(OCR + SOUND)
            q[c] = q[c].replace(a, b, 1)
        elif r < 0.48 and c in ("given_name", "surname"):
            q[c] = draw.choice(values[c])
        elif q[c]:
            q[c] = typo(draw, q[c])
    return q


def make(folder, out):
    values, places = pool(folder)

    def write(name, side, header, rows, draw, bom=False, space=False):
        draw.shuffle(rows)
        with open(f"{out}/{name}.{side}.csv", "w", encoding="utf-8-sig" if bom else "utf-8") as f:
            f.write((", " if space else ",").join(header) + "\n")
            for row in rows:
                f.write((", " if space else ",").join(f'"{v}"' if "," in v and not space else v for v in row) + "\n")

    def dedupe(name, people, duplicates, most, times, seed, columns=COLUMNS, header=None, twins=False, space=False):
        draw, rows, truth, own = random.Random(seed), [], {}, []
        for n in range(people):
            p = person(draw, values, places)
            if twins and n % 6 == 1:
                before = own[-1]
                for c in ("surname", "street_number", "address_1", "address_2", "suburb", "postcode", "state", "phone_number"):
                    p[c] = before[c]
                if n % 12 == 1:
                    p["date_of_birth"] = before["date_of_birth"]
            own.append(p)
        made = [(n, p) for n, p in enumerate(own)]
        left = duplicates
        while left > 0:
            n = draw.randrange(people)
            for _ in range(min(left, draw.randint(1, most))):
                made.append((n, corrupt(draw, own[n], values, times, places)))
                left -= 1
        for i, (n, p) in enumerate(made):
            truth[f"r{i}"] = n
            rows.append([f"r{i}"] + [p[c] for c in columns])
        write(name, "a", header or ["rec_id", *columns], rows, draw, space=space)
        with open(f"{out}/{name}.truth.csv", "w") as f:
            f.writelines(f"{k},{v}\n" for k, v in truth.items())

    def two(name, people, shared, most, times, seed, columns=COLUMNS, other=None, header=None, dates=None, floats=False):
        draw, truth = random.Random(seed), {}
        own = [person(draw, values, places) for _ in range(people)]
        a = [(f"a{n}", n, own[n]) for n in range(people) if draw.random() < 0.7]
        b = []
        for n in range(people):
            if draw.random() < shared:
                for k in range(draw.randint(1, most)):
                    b.append((f"b{n}-{k}", n, corrupt(draw, own[n], values, times, places)))
        for i, n, _ in a + b:
            truth[i] = n

        def cell(c, v):
            if c == "date_of_birth" and dates and len(v) == 8:
                return dates.format(y=v[:4], m=v[4:6], d=v[6:])
            if floats and c in ("postcode", "street_number") and v.isdigit():
                return f"{int(v)}.0"
            return v

        write(name, "a", ["rec_id", *columns], [[i] + [p[c] for c in columns] for i, _, p in a], draw)
        order = other or columns
        write(name, "b", header or ["id", *order], [[i] + [cell(c, p[c]) for c in order] for i, _, p in b], draw, bom=True)
        with open(f"{out}/{name}.truth.csv", "w") as f:
            f.writelines(f"{k},{v}\n" for k, v in truth.items())

    few = ["given_name", "surname", "date_of_birth", "postcode"]
    dedupe("usual", 4000, 2000, 3, 4, 101)
    dedupe("heavy", 3000, 3000, 4, 9, 102, space=True)
    dedupe("small", 120, 60, 2, 4, 103)
    dedupe("families", 4000, 2000, 3, 4, 104, twins=True)
    dedupe("few_fields", 4000, 2000, 2, 2, 105, columns=few)
    dedupe("names_birth", 3000, 1500, 1, 2, 106, columns=few[:3])
    dedupe("many_each", 600, 3000, 6, 4, 107)
    two("one_to_one", 4000, 0.6, 1, 4, 108)
    two("many_to_one", 3000, 0.5, 3, 4, 109)
    two("renamed", 3000, 0.5, 1, 4, 110, other=["sex", "date_of_birth", "address_2", "address_1", "phone_number", "surname",
        "given_name", "postcode", "suburb", "state", "street_number"], header=["Key", "Gender", "DOB", "Address 2", "Address 1",
        "Mobile", "Last Name", "First Name", "ZIP", "City", "State", "House No"], dates="{d}/{m}/{y}", floats=True)
    two("few_two", 3000, 0.5, 1, 2, 111, columns=few)
    two("no_overlap", 2000, 0.01, 1, 3, 112)


NAMES = ["usual", "heavy", "small", "families", "few_fields", "names_birth", "many_each", "one_to_one", "many_to_one", "renamed",
         "few_two", "no_overlap"]


def true_pairs(out, name):
    with open(f"{out}/{name}.truth.csv") as f:
        truth = dict(line.strip().split(",") for line in f)
    groups = {}
    for record, n in truth.items():
        side = record[0] if record[0] in "ab" else "a"
        groups.setdefault(n, {"a": 0, "b": 0})[side] += 1
    two = any(r.startswith("b") for r in truth)
    total = sum(g["a"] * g["b"] if two else g["a"] * (g["a"] - 1) // 2 for g in groups.values())
    return truth, two, total


def show(name, truth, total, kept):
    right = sum(truth[a] == truth[b] for a, b in kept)
    print(f"  {name:12} F1 {2 * right / max(1, len(kept) + total):.4f}  precision {right / max(1, len(kept)):.4f}  "
          f"recall {right / max(1, total):.4f}  true {total}", flush=True)


def score(out, chiasm):
    print("Chiasm")
    for name in NAMES:
        truth, two, total = true_pairs(out, name)
        files = [f"{out}/{name}.a.csv"] + ([f"{out}/{name}.b.csv"] if two else [])
        subprocess.run([chiasm, "link", "--records", *files, "--out", f"{out}/{name}.pairs.csv", "--quiet"], check=True,
                       stdout=subprocess.DEVNULL)
        with open(f"{out}/{name}.pairs.csv") as f:
            kept = [(r["id_l"], r["id_r"]) for r in csv.DictReader(f) if float(r["probability"]) >= 0.5]
        show(name, truth, total, kept)


def splink(out):
    import logging, warnings
    import pandas as pd, pyarrow as pa
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on
    logging.disable(logging.CRITICAL)
    warnings.filterwarnings("ignore")
    rename = {"Key": "rec_id", "id": "rec_id", "Last Name": "surname", "First Name": "given_name", "DOB": "date_of_birth",
              "ZIP": "postcode", "House No": "street_number"}
    print("Splink 5.0.0")
    for name in NAMES:
        truth, two, total = true_pairs(out, name)
        frames = []
        for side in ["a", "b"][: 1 + two]:
            d = pd.read_csv(f"{out}/{name}.{side}.csv", dtype=str, skipinitialspace=True, encoding="utf-8-sig").rename(columns=rename)
            if name == "renamed" and side == "b":
                d["date_of_birth"] = d.date_of_birth.str.replace(r"(\d\d)/(\d\d)/(\d{4})", r"\3\2\1", regex=True)
                for c in ("postcode", "street_number"):
                    d[c] = d[c].str.removesuffix(".0")
                d["postcode"] = d.postcode.str.zfill(4)
            d = d[[c for c in ("rec_id", "given_name", "surname", "date_of_birth", "postcode", "street_number") if c in d]]
            frames.append(d.where(d.notna(), None))
        n = lambda c: cl.NameComparison(c).configure(term_frequency_adjustments=True)
        has = lambda c: c in frames[0]
        comparisons = [n("given_name"), n("surname"), cl.DateOfBirthComparison(
            "date_of_birth", input_is_string=True, datetime_format="%Y%m%d", invalid_dates_as_null=True)]
        if has("street_number"):
            comparisons.append(cl.ExactMatch("street_number").configure(term_frequency_adjustments=True))
        if has("postcode"):
            comparisons.append(cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(term_frequency_adjustments=True))
        rules = [block_on("given_name", "surname"), "l.given_name = r.surname and l.surname = r.given_name", block_on("date_of_birth")]
        rules += [block_on("postcode")] if has("postcode") else [block_on("given_name"), block_on("surname")]
        settings = SettingsCreator(unique_id_column_name="rec_id", link_type="link_only" if two else "dedupe_only",
                                   comparisons=comparisons, blocking_rules_to_generate_predictions=rules)
        try:
            db = DuckDBAPI()
            linker = Linker([db.register(pa.Table.from_pandas(f, preserve_index=False)) for f in frames], settings)
            linker.training.estimate_probability_two_random_records_match([block_on("given_name", "surname", "date_of_birth")], recall=0.5)
            linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
            for column in ("date_of_birth", "postcode" if has("postcode") else "surname"):
                linker.training.estimate_parameters_using_expectation_maximisation(block_on(column), estimate_without_term_frequencies=True)
            found = linker.inference.predict(threshold_match_probability=0.5).as_pyarrow_table()
            found = (found.read_all() if hasattr(found, "read_all") else found).to_pandas()
            show(name, truth, total, list(zip(found.rec_id_l, found.rec_id_r)))
        except Exception as error:
            print(f"  {name:12} no result: {type(error).__name__}")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
