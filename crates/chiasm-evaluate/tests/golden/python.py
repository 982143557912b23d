"""Values for tests/*.rs where R has none.  python python.py   (scikit-learn 1.9.1, scikit-survival 0.28.0)
Reads asah.csv and lung.csv beside it. Scores are simple functions of columns, so that Rust makes the same."""
import csv, os
import numpy as np
from sklearn import metrics as m
from sksurv import metrics as s
from sksurv.util import Surv
here = os.path.dirname(os.path.abspath(__file__))
def table(name):
    rows = list(csv.DictReader(open(os.path.join(here, name))))
    return {k: np.array([float(r[k]) for r in rows]) for k in rows[0]}
def show(name, x): print(f"{name:28} " + " ".join(f"{v:.12g}" for v in np.atleast_1d(x)))
a, l = table("asah.csv"), table("lung.csv")
y = a["poor"].astype(int)
show("auprc wfns s100b ndka", [m.average_precision_score(y, a[k]) for k in ("wfns", "s100b", "ndka")])
# Three classes from the tumour-free column wfns (1, 2, above); their scores from age and s100b.
c = np.minimum(a["wfns"], 3).astype(int) - 1
w = np.stack([1 / (1 + a["s100b"]), np.full(113, .8), .2 + a["s100b"] + a["age"] / 200], axis=1)
p = w / w.sum(axis=1, keepdims=True)
show("macro ovr", m.roc_auc_score(c, p, multi_class="ovr", average="macro"))
show("each", [m.roc_auc_score(c == k, p[:, k]) for k in range(3)])
show("accuracy", m.accuracy_score(c, p.argmax(axis=1)))
show("log loss", m.log_loss(c, p))
lab = np.stack([y, a["female"].astype(int)], axis=1)
show("multi-label", m.roc_auc_score(lab, np.stack([a["s100b"], a["age"]], axis=1), average="macro"))
show("rmse mae r2", [m.root_mean_squared_error(a["age"], 40 + 50 * a["s100b"]), m.mean_absolute_error(a["age"], 40 + 50 * a["s100b"]),
                     m.r2_score(a["age"], 40 + 50 * a["s100b"])])
for t in ("day", "week"):
    yy = Surv.from_arrays(l["died"] == 1, l[t])
    for x in ("age", "ecog"):
        show(f"ipcw {t} {x}", s.concordance_index_ipcw(yy, yy, l[x])[0])
    times = np.array([100., 200., 300., 400., 500., 600.]) if t == "day" else np.array([14., 28., 43., 57., 71., 86.])
    # Exponential survival whose rate rises with the ECOG score.
    rate = .0015 * (1 + .5 * l["ecog"]) * (1 if t == "day" else 7)
    surv = np.exp(-rate[:, None] * times[None, :])
    show(f"brier {t}", s.brier_score(yy, yy, surv, times)[1])
    show(f"ibs {t}", s.integrated_brier_score(yy, yy, surv, times))
