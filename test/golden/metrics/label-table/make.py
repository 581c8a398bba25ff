"""Makes expected.json: scikit-learn's precision, recall, F1 and support of each label.

Run: python test/golden/metrics/label-table/make.py   (needs numpy, scikit-learn)
"""

import json
import math
import pathlib
import platform

import numpy as np
import sklearn
from sklearn.metrics import precision_recall_fscore_support

SEED = 20241002
HERE = pathlib.Path(__file__).parent
rng = np.random.default_rng(SEED)
FIVE = ["alpha", "beta", "gamma", "delta", "omega"]


def draw(labels, n, hit):
    gold = rng.choice(labels, n).tolist()
    return gold, [g if rng.random() < hit else (None if rng.random() < 0.2 else str(rng.choice(labels))) for g in gold]


CASES = {
    "five labels, some unparsed": (FIVE, *draw(FIVE, 137, 0.6)),
    "a label never predicted": (["a", "b", "c"], ["a", "b", "c", "a", "b"], ["a", "b", "a", "a", "a"]),
    "a label never gold": (["a", "b", "c"], ["a", "b", "b", "a", "b"], ["a", "b", "c", "c", "a"]),
    "nothing parsed": (["a", "b"], ["a", "b", "a"], [None, None, None]),
}


def table(labels, gold, pred):
    shown = ["<none>" if p is None else p for p in pred]
    values = precision_recall_fscore_support(gold, shown, labels=labels, zero_division=np.nan)
    keep = lambda x: None if math.isnan(x) else float(x)
    return [
        {"label": label, "precision": keep(p), "recall": keep(r), "f1": keep(f), "support": int(s)}
        for label, p, r, f, s in zip(labels, *values)
    ]


cases = [{"name": name, "labels": l, "gold": g, "pred": p, "table": table(l, g, p)} for name, (l, g, p) in CASES.items()]
(HERE / "expected.json").write_text(json.dumps({"cases": cases}) + "\n")
(HERE / "provenance.json").write_text(
    json.dumps(
        {
            "command": "python test/golden/metrics/label-table/make.py",
            "versions": {"python": platform.python_version(), "numpy": np.__version__, "scikit-learn": sklearn.__version__},
            "seed": SEED,
        },
        indent=2,
    )
    + "\n"
)
