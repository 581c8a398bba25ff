"""Makes expected.json: scikit-learn's TF-IDF and logistic regression on generated texts, three classes and two.

Run: python test/golden/eval/ngram/make.py   (needs numpy, scipy, scikit-learn)
"""

import json
import pathlib
import platform
import re

import numpy as np
import scipy.sparse as sp
import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

SEED = 20241001
HERE = pathlib.Path(__file__).parent
rng = np.random.default_rng(SEED)

NAMES = ["Arvo", "Belle-Île", "Corvane", "Dønsk Ab", "ÉTOILE", "K2_Micro"]
MOVES = {"up": ["rose", "gained", "jumped  sharply", "climbs"], "down": ["fell", "lost", "slid", "drops"], "flat": ["was flat", "held", "was unchanged"]}
TAILS = ["after results", "on Monday", "in Q3 2019", "by 4.5 %", "to €3.2m", "as an index moved up", "as an index moved down"]


def text(label):
    said = label if rng.random() < 0.85 else str(rng.choice(list(MOVES)))
    return f"{rng.choice(NAMES)} {rng.choice(MOVES[said])} {rng.choice(TAILS)}{rng.choice(['', '.', ' !', ' 😀', ' https://t.co/a1B2c3'])}"


def rows(labels, n):
    chosen = [str(rng.choice(labels)) for _ in range(n)]
    return [{"prompt": text(k), "answer": k} for k in chosen]


def case(labels):
    train, dev, test = rows(labels, 90), rows(labels, 30), rows(labels, 12)
    texts = [[e["prompt"] for e in part] for part in (train, dev, test)]
    no_links = lambda text: re.sub(r"https?://\S+", " ", text.lower())
    shape = lambda text: re.sub(r"\d", "0", no_links(text))
    blocks = [
        TfidfVectorizer(preprocessor=no_links, token_pattern=r"(?u)\w+|[^\w\s]", ngram_range=(1, 2), sublinear_tf=True, min_df=2),
        TfidfVectorizer(preprocessor=shape, analyzer="char", ngram_range=(2, 5), sublinear_tf=True, min_df=2),
    ]
    for block in blocks:
        block.fit(texts[0])
    x, x_dev, x_test = [sp.hstack([block.transform(part) for block in blocks]).tocsr() for part in texts]
    gold = [[e["answer"] for e in part] for part in (train, dev)]
    fits = []
    for c in (0.3, 1, 3, 10, 30):
        model = LogisticRegression(C=c, tol=1e-9, max_iter=10000).fit(x, gold[0])
        probabilities = [dict(zip(model.classes_, map(float, row))) for row in model.predict_proba(x_test)]
        fits.append({"c": c, "devAccuracy": float(model.score(x_dev, gold[1])), "devLogLoss": float(log_loss(gold[1], model.predict_proba(x_dev))), "probabilities": probabilities})
    return {"train": train, "dev": dev, "test": test, "numFeatures": x.shape[1],
            "firstRowNorms": [float(x_test[0, : len(blocks[0].vocabulary_)].multiply(x_test[0, : len(blocks[0].vocabulary_)]).sum()), float(x_test[0].sum())],
            "fits": fits}


(HERE / "expected.json").write_text(json.dumps({"cases": [case(["down", "flat", "up"]), case(["down", "up"])]}, ensure_ascii=False) + "\n")
(HERE / "provenance.json").write_text(
    json.dumps(
        {
            "command": "python test/golden/eval/ngram/make.py",
            "versions": {"python": platform.python_version(), "numpy": np.__version__, "scikit-learn": sklearn.__version__},
            "seed": SEED,
        },
        indent=2,
    )
    + "\n"
)
