"""Makes expected.json: exact tests, exact intervals and corrections from scipy and statsmodels.

Run: python test/golden/stats/tests/make.py   (needs numpy, scipy, statsmodels, scikit-learn)
"""

import pathlib
import sys

import numpy as np
import scipy
import sklearn
import statsmodels
from scipy import stats
from sklearn.metrics import f1_score
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from written import write

SEED = 20241102
MODULES = [np, scipy, sklearn, statsmodels]
rng = np.random.default_rng(SEED)

# Outputs of two models on clusters of unequal size; A is mostly right, B less so.
sizes = [3, 1, 2, 4, 1, 2, 3, 1, 2]
groups = [f"g{k}" for k, size in enumerate(sizes) for _ in range(size)]
n = len(groups)
gold = rng.integers(0, 3, n)
a = np.where(rng.random(n) < 0.85, gold, rng.integers(0, 3, n))
b = np.where(rng.random(n) < 0.5, gold, rng.integers(0, 3, n))


def weighted_f1(predicted):
    return f1_score(gold, predicted, average="weighted")


def randomised(statistic):
    """All 2^9 swaps of clusters: the tokens k and k + 9 are cluster k's outputs by A and by B."""
    numbers = np.repeat(np.arange(len(sizes)), sizes)

    def difference(x, y, axis=-1):
        def system(tokens):
            return np.where(tokens[numbers] < len(sizes), a, b)

        return abs(statistic(system(x)) - statistic(system(y)))

    tokens = np.arange(len(sizes))
    found = stats.permutation_test(
        (tokens, tokens + len(sizes)), difference, permutation_type="samples", alternative="greater", n_resamples=np.inf, vectorized=False
    )
    return {"difference": float(statistic(a) - statistic(b)), "pValue": float(found.pvalue)}


families = [
    [0.01, 0.04, 0.03, 0.005, 0.2],
    [0.05],
    [1.0, 0.9, 0.9, 1e-9],
    rng.random(40).tolist(),
    (rng.random(55) ** 4).tolist(),
]
expected = {
    "clopperPearson": [
        {"successes": s, "n": m, "interval": [float(v) for v in proportion_confint(s, m, 0.05, "beta")]}
        for s, m in [(0, 1), (1, 1), (0, 40), (40, 40), (7, 9), (982, 1212), (1, 20547), (45, 90), (20000, 20547)]
    ],
    "beta": [
        {"a": x, "b": y, "p": p, "quantile": float(stats.beta.ppf(p, x, y))}
        for x, y in [(0.5, 0.5), (1, 40), (3, 7), (982, 231), (0.7, 200), (5000, 4000)]
        for p in [1e-6, 0.025, 0.5, 0.975]
    ],
    "mcnemar": [
        {"onlyA": x, "onlyB": y, "pValue": float(mcnemar([[5, x], [y, 3]], exact=True).pvalue)}
        for x, y in [(0, 0), (1, 0), (0, 6), (4, 4), (12, 3), (30, 55), (700, 610), (3, 200)]
    ],
    "families": [
        {"p": p, "holm": multipletests(p, method="holm")[1].tolist(), "benjaminiHochberg": multipletests(p, method="fdr_bh")[1].tolist()}
        for p in families
    ],
    "randomisation": {
        "groups": groups, "gold": gold.tolist(), "a": a.tolist(), "b": b.tolist(),
        "accuracy": randomised(lambda predicted: float(np.mean(predicted == gold))),
        "weightedF1": randomised(weighted_f1),
    },
}
write(__file__, expected, SEED, MODULES)
