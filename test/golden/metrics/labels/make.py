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


cases = [{"name": name, "labels": l, "gold": g, "pred": p, "metrics": score(l, g, p)} for name, (l, g, p) in CASES.items()]
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
