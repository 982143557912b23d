"""Level and power of tests for "fusion against best single", when the models are refitted in every fold.

    python refitting.py RUNS        (numpy, scipy)

Ridge models on standard normal features; singles, their mean, and one model of all features; in each of 5 outer
folds the best single and the best fusion by 3 inner folds. AUROC within folds, each fold weighted by its pairs, with
DeLong's variance. Per line: the variance of the difference over cohorts as a share of DeLong's; then how often each
test rejects at 5 %, two-sided, in favour of the fusion (+) and against it (-): DeLong over subjects, Nadeau-Bengio
over folds, and DeLong with its variance times 1 + 0.6 / repeats.
"""

import sys

import numpy as np
from scipy import stats

FOLDS, INNER = 5, 3


def ridge(train, y, penalty, test):
    centre = train.mean(0)
    a = train - centre
    w = np.linalg.solve(a.T @ a + penalty * np.eye(a.shape[1]), a.T @ (y - y.mean()))
    return (test - centre) @ w + y.mean()


def split(y, k, rng):
    fold = np.empty(len(y), int)
    for c in (0, 1):
        rows = np.flatnonzero(y == c)
        rng.shuffle(rows)
        fold[rows] = np.arange(len(rows)) % k
    return fold


def predictions(x, y, train, test, penalty):
    singles = [ridge(m[train], y[train], penalty, m[test]) for m in x]
    joint = np.hstack(x)
    return singles, [np.mean(singles, 0), ridge(joint[train], y[train], penalty * len(x), joint[test])]


def placements(y, score):
    p, q = score[y == 1], score[y == 0]
    rank = stats.rankdata(np.r_[p, q])
    return (rank[: len(p)] - stats.rankdata(p)) / len(q), 1 - (rank[len(p) :] - stats.rankdata(q)) / len(p)


def delong(y, a, b):
    (p, q), (r, s) = placements(y, a), placements(y, b)
    return p.mean() - r.mean(), np.var(p - r, ddof=1) / len(p) + np.var(q - s, ddof=1) / len(q)


def run(rng, n, modalities, features, penalty, effect, repeats):
    y = (rng.random(n) < 0.25).astype(float)
    x = [rng.standard_normal((n, features)) for _ in range(modalities)]
    for m in x:
        m[:, 0] += effect * y
    within, by_fold = [], []
    for _ in range(repeats):
        fold, fusion, single = split(y, FOLDS, rng), np.empty(n), np.empty(n)
        for k in range(FOLDS):
            train, test = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
            inner, loss = split(y[train], INNER, rng), np.zeros(modalities + 2)
            for j in range(INNER):
                held = train[inner == j]
                s, f = predictions(x, y, train[inner != j], held, penalty)
                loss += [((o - y[held]) ** 2).sum() for o in s + f]
            s, f = predictions(x, y, train, test, penalty)
            single[test] = s[np.argmin(loss[:modalities])]
            fusion[test] = f[np.argmin(loss[modalities:])]
            by_fold.append(delong(y[test], fusion[test], single[test])[0])
        parts = []
        for k in range(FOLDS):
            rows = fold == k
            events = y[rows].sum()
            parts.append((events * (rows.sum() - events), *delong(y[rows], fusion[rows], single[rows])))
        pairs, d, v = np.array(parts).T
        share = pairs / pairs.sum()
        within.append(((share * d).sum(), (share**2 * v).sum()))
    difference, variance = np.mean(within, 0)
    k = len(by_fold)
    spread = np.sqrt((1 / k + 1 / (FOLDS - 1)) * np.var(by_fold, ddof=1))
    return (
        difference,
        variance,
        2 * stats.norm.sf(abs(difference) / np.sqrt(variance)),
        2 * stats.t(k - 1).sf(abs(np.mean(by_fold)) / spread),
        2 * stats.norm.sf(abs(difference) / np.sqrt(variance * (1 + 0.6 / repeats))),
    )


for plan in [
    (150, 3, 5, 50, 0), (150, 3, 30, 200, 0), (400, 3, 10, 100, 0), (400, 2, 10, 3000, 0), (250, 2, 4, 5, 0),
    (120, 2, 60, 200, 0), (400, 3, 10, 100, 0.5), (560, 2, 10, 100, 0.45),
]:  # fmt: skip
    for repeats in (1, 3):
        rng = np.random.default_rng(1)
        found = np.array([run(rng, *plan, repeats) for _ in range(int(sys.argv[1]))])
        d, p = found[:, :1], found[:, 2:]
        ratio = d.var(ddof=1) / found[:, 1].mean()
        plus, minus = ((p < 0.05) & (d > 0)).mean(0), ((p < 0.05) & (d < 0)).mean(0)
        print(plan, repeats, f"difference {d.mean():.3f} variance x {ratio:.2f}", "+", plus.round(3), "-", minus.round(3), flush=True)
