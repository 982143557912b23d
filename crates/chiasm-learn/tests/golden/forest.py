"""Values that crates/chiasm-learn/tests/forest.rs checks forests against.

Run in this folder: python forest.py   (scikit-learn 1.9.1)
Writes forest.csv (a synthetic set: 10 columns and the class; rows 0..199 train, the rest test) and prints the
mean and standard deviation over 5 seeds of the test AUROC, which the test holds.
"""
import numpy as np
from sklearn.datasets import make_classification
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.metrics import roc_auc_score

x, y = make_classification(n_samples=600, n_features=10, n_informative=5, n_redundant=2, n_clusters_per_class=3,
                           flip_y=0.15, class_sep=0.7, weights=[0.7], random_state=7)
x = x.round(3)
head = ",".join(f"x{j}" for j in range(10)) + ",y"
np.savetxt("forest.csv", np.column_stack([x, y]), delimiter=",", header=head, comments="", fmt=["%.3f"] * 10 + ["%d"])
for name, kind in [("random forest", RandomForestClassifier), ("extra trees", ExtraTreesClassifier)]:
    a = []
    for seed in range(5):
        m = kind(n_estimators=500, min_samples_leaf=3, random_state=seed).fit(x[:200], y[:200])
        a.append(roc_auc_score(y[200:], m.predict_proba(x[200:])[:, 1]))
    print(name, np.mean(a), np.std(a))
m = RandomForestClassifier(n_estimators=500, min_samples_leaf=3, random_state=0, oob_score=True).fit(x[:200], y[:200])
print("oob", roc_auc_score(y[:200], m.oob_decision_function_[:, 1]))
