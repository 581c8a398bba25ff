"""Makes expected.json: seqeval's entity scores and scikit-learn's micro F1 over sets of labels, on generated sentences.

Every sentence has distinct words, so that a span's text says where it stands and both ways of counting must agree.
Run: python test/golden/metrics/spans/make.py   (needs numpy, scikit-learn, seqeval)
"""

import importlib.metadata
import json
import pathlib
import platform

import numpy as np
import sklearn
from seqeval.metrics import f1_score, precision_score, recall_score
from sklearn.metrics import f1_score as label_f1
from sklearn.preprocessing import MultiLabelBinarizer

SEED = 20241003
HERE = pathlib.Path(__file__).parent
TYPES = ["PER", "ORG", "LOC"]
rng = np.random.default_rng(SEED)


def spans(length):
    found, at = [], int(rng.integers(0, 3))
    while at < length:
        end = min(length, at + int(rng.integers(1, 4)))
        found.append((at, end, str(rng.choice(TYPES))))
        at = end + int(rng.integers(0, 4))
    return found


def disturbed(gold, length):
    kept = []
    for start, end, kind in gold:
        luck = rng.random()
        if luck < 0.5:
            kept.append((start, end, kind))
        elif luck < 0.65 and end - start > 1:
            kept.append((start, end - 1, kind))
        elif luck < 0.8:
            kept.append((start, end, str(rng.choice(TYPES))))
    return kept


def tags(found, length):
    out = ["O"] * length
    for start, end, kind in found:
        out[start:end] = [f"B-{kind}"] + [f"I-{kind}"] * (end - start - 1)
    return out


def text_form(found, words):
    return [{"text": " ".join(words[start:end]), "type": kind} for start, end, kind in found]


def case(n):
    items, gold_tags, pred_tags, gold_sets, pred_sets = [], [], [], [], []
    for _ in range(n):
        length = int(rng.integers(3, 15))
        words = [f"w{k}" for k in range(length)]
        gold = spans(length)
        pred = disturbed(gold, length)
        items.append({"gold": text_form(gold, words), "pred": text_form(pred, words)})
        gold_tags.append(tags(gold, length))
        pred_tags.append(tags(pred, length))
        gold_sets.append({k for *_, k in gold})
        pred_sets.append({k for *_, k in pred})
    binary = MultiLabelBinarizer(classes=TYPES)
    return {
        "items": items,
        "exact": {
            "precision": float(precision_score(gold_tags, pred_tags)),
            "recall": float(recall_score(gold_tags, pred_tags)),
            "f1": float(f1_score(gold_tags, pred_tags)),
        },
        "exact_by_type": dict(zip(sorted(TYPES), map(float, f1_score(gold_tags, pred_tags, average=None)))),
        "label_sets_f1": float(label_f1(binary.fit_transform(gold_sets), binary.transform(pred_sets), average="micro")),
    }


(HERE / "expected.json").write_text(json.dumps({"cases": [case(12), case(40), case(3)]}) + "\n")
(HERE / "provenance.json").write_text(
    json.dumps(
        {
            "command": "python test/golden/metrics/spans/make.py",
            "versions": {
                "python": platform.python_version(),
                "numpy": np.__version__,
                "scikit-learn": sklearn.__version__,
                "seqeval": importlib.metadata.version("seqeval"),
            },
            "seed": SEED,
        },
        indent=2,
    )
    + "\n"
)
