#!/usr/bin/env python3
"""Writes the figures of finished runs into README.md and recipes/*/README.md.

    python3 tools/refresh_results.py RUNS

RUNS holds one run folder per recipe, named as the recipe (runs that are absent are left as they stand). What stands
between `<!-- results: NAME -->` and `<!-- end -->` is made anew from RUNS/NAME/report.json; NAME `all` is the table of all
recipes that are in RUNS, and `terminal/NAME` the terminal's table, from RUNS/NAME.txt.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
METRIC = {"auroc": "AUROC", "c_index": "C-index"}


def figure(x, signed=False):
    return (f"{x:+.3f}" if signed else f"{x:.3f}").replace("0.", ".", 1).replace("-", "−")


def probability(p):
    return "< .001" if p < 0.001 else figure(p)


def measure(m, signed=False):
    text = figure(m["estimate"], signed)
    return text if m.get("low") is None else f"{text} ({figure(m['low'], signed)} to {figure(m['high'], signed)})"


def decides(report):
    c = next(c for c in report["comparisons"] if c["decides"])
    return c, {"estimate": c["difference"], "low": c["low"], "high": c["high"]}


def one(report):
    """Every model of one run, and the verdict's sentence."""
    metric = report["metric"]
    rows = [f"| model | kind | {METRIC.get(metric, metric)} (95 % interval) |", "|---|---|---|"]
    for model in report["models"]:
        if metric in model["metrics"]:
            mark = " (chosen)" if model["name"] == report["selected"] else ""
            mark = " (best single)" if model["name"] == report["best_single"] else mark
            rows.append(f"| {model['name']}{mark} | {model['kind']} | {measure(model['metrics'][metric])} |")
    tried = f"{report['configurations_tried']:,} configurations were tried over all folds."
    return "\n".join(rows + ["", f"Verdict `{report['verdict']}`: {report['verdict_words']} {tried}"])


def line(name, report):
    """One line of the table of all recipes."""
    metric = report["metric"]
    get = {m["name"]: m["metrics"][metric] for m in report["models"] if metric in m["metrics"]}
    c, gap = decides(report)
    return (
        f"| [{name}](recipes/{name}) | {report['n']}, {report['events']} | {METRIC.get(metric, metric)} | "
        f"{measure(get[c['b']])} | {measure(get[c['a']])} | {measure(gap, True)} | {probability(c['p_holm'])} | `{report['verdict']}` |"
    )


def every(reports):
    head = [
        "| recipe | n, events | metric | best single | fusion | difference (95 % interval) | p (Holm) | verdict |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join(head + [line(name, report) for name, report in reports.items()])


def main(runs):
    found = {p.parent.name: json.loads(p.read_text()) for p in sorted(Path(runs).glob("*/report.json"))}
    block = re.compile(r"(<!-- results: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)

    def fill(match):
        name = match.group(2)
        if name.startswith("terminal/"):
            text = Path(runs, name.removeprefix("terminal/") + ".txt")
            if not text.is_file():
                return match.group(0)
            lines = [line for line in text.read_text().splitlines() if not line.startswith("Report:")]
            shown = "\n".join(lines).strip("\n").splitlines()
            return match.group(1) + "\n" + "\n".join(f"    {line}".rstrip() for line in shown) + "\n\n" + match.group(3)
        if name == "all":
            shipped = {name: report for name, report in found.items() if (ROOT / "recipes" / name).is_dir()}
            return match.group(1) + every(shipped) + "\n" + match.group(3)
        return match.group(1) + one(found[name]) + "\n" + match.group(3) if name in found else match.group(0)

    for page in [ROOT / "README.md", *sorted(ROOT.glob("recipes/*/README.md"))]:
        text = page.read_text()
        new = block.sub(fill, text)
        if new != text:
            page.write_text(new)
            print("written", page.relative_to(ROOT))


if __name__ == "__main__":
    main(sys.argv[1])
