"""Makes expected.json: scikit-learn's label metrics on generated and awkward predictions.

Run: python test/golden/metrics/labels/make.py   (needs numpy, scikit-learn)
"""

import json
import pathlib
import platform
import warnings

import numpy as np
import sklearn
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

SEED = 20241001
HERE = pathlib.Path(__file__).parent
rng = np.random.default_rng(SEED)
warnings.simplefilter("ignore")


def draw(labels, weights, n, hit):
    gold = rng.choice(labels, n, p=weights).tolist()
    return gold, [g if rng.random() < hit else str(rng.choice(labels)) for g in gold]


CASES = {
    "three classes": (["negative", "neutral", "positive"], *draw(["negative", "neutral", "positive"], [0.1, 0.6, 0.3], 97, 0.7)),
    "twenty classes": ([str(k) for k in range(20)], *draw([str(k) for k in range(20)], [0.05] * 20, 211, 0.5)),
    "a class never predicted": (["a", "b", "c"], ["a", "b", "c", "a", "b"], ["a", "b", "a", "a", "a"]),
    "a class never gold": (["a", "b", "c"], ["a", "b", "b", "a", "b"], ["a", "b", "c", "c", "a"]),
    "a class neither predicted nor gold": (["a", "b", "c"], ["a", "b", "b", "a"], ["a", "b", "a", "b"]),
    "unparsed outputs": (["a", "b"], ["a", "b", "b", "a", "a", "b", "b"], ["a", None, "b", "b", None, "a", "b"]),
    "all wrong": (["a", "b"], ["a", "b", "a"], ["b", "a", "b"]),
    "constant prediction": (["No", "Yes"], ["No", "Yes", "No", "No"], ["No"] * 4),
    "constant gold": (["No", "Yes"], ["No"] * 4, ["No", "Yes", "No", "No"]),
    "one class only": (["a", "b"], ["a", "a", "a"], ["a", "a", "a"]),
    "nothing parsed": (["a", "b"], ["a", "b", "a"], [None, None, None]),
}


def score(labels, gold, pred):
    # An unparsed output is a prediction of none of the labels; averages run over labels that occur.
    shown = ["<none>" if p is None else p for p in pred]
    present = [k for k in labels if k in gold or k in shown]
    return {
        "accuracy": accuracy_score(gold, shown),
        "weighted_f1": f1_score(gold, shown, labels=present, average="weighted"),
        "macro_f1": f1_score(gold, shown, labels=present, average="macro"),
        # scikit-learn says 0 where gold or prediction is constant; null here marks that no correlation is defined.
        "mcc": None if len(set(gold)) == 1 or len(set(shown)) == 1 else matthews_corrcoef(gold, shown),
    }


def parts(labels, gold, pred):
    """By metric, for each item: the metric plus n times its derivative by the item's sample_weight, as a central difference."""
    shown = ["<none>" if p is None else p for p in pred]
    present = [k for k in labels if k in gold or k in shown]
    functions = {
        "accuracy": lambda w: accuracy_score(gold, shown, sample_weight=w),
        "weighted_f1": lambda w: f1_score(gold, shown, labels=present, average="weighted", sample_weight=w),
        "macro_f1": lambda w: f1_score(gold, shown, labels=present, average="macro", sample_weight=w),
        "mcc": lambda w: matthews_corrcoef(gold, shown, sample_weight=w),
    }
    n, step = len(gold), 1e-4
    found = {}
    for name, value in functions.items():
        at = lambda i, by: value(np.ones(n) + by * (np.arange(n) == i))
        found[name] = [round(float(value(np.ones(n)) + n * (at(i, step) - at(i, -step)) / (2 * step)), 7) for i in range(n)]
    if len(set(gold)) == 1 or len(set(shown)) == 1:
        found["mcc"] = None
    return found


WITH_PARTS = ["three classes", "a class never predicted", "a class never gold", "unparsed outputs", "all wrong", "constant prediction"]
cases = [{"name": name, "labels": l, "gold": g, "pred": p, "metrics": score(l, g, p), **({"parts": parts(l, g, p)} if name in WITH_PARTS else {})} for name, (l, g, p) in CASES.items()]
(HERE / "expected.json").write_text(json.dumps({"cases": cases}) + "\n")
(HERE / "provenance.json").write_text(
    json.dumps(
        {
            "command": "python test/golden/metrics/labels/make.py",
            "versions": {"python": platform.python_version(), "numpy": np.__version__, "scikit-learn": sklearn.__version__},
            "seed": SEED,
        },
        indent=2,
    )
    + "\n"
)
