"""Makes expected.json: linear models of scores on ingredients, from statsmodels; which coefficients are determined, from numpy's rank.

Run: python test/golden/stats/factorial/make.py   (needs numpy, scipy, statsmodels)
"""

import itertools
import pathlib
import sys

import numpy as np
import scipy
import statsmodels
import statsmodels.api as sm
from scipy import stats

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from written import write

SEED = 20241106
MODULES = [np, scipy, statsmodels]
rng = np.random.default_rng(SEED)

NAMES = ["a", "b", "c", "d", "e"]
every = [(i,) for i in range(5)] + list(itertools.combinations(range(5), 2)) + list(itertools.combinations(range(5), 4)) + [tuple(range(5))]
mixtures = np.array([[float(i in m) for i in range(5)] for m in every])
# Unbalanced on purpose: some mixtures have one seed.
counts = [2 if k % 4 else 1 for k in range(len(mixtures))]
runs = np.repeat(mixtures, counts, axis=0)
scores = 0.6 + runs @ np.array([0.05, 0.0, -0.03, 0.02, 0.0]) + 0.04 * runs[:, 0] * runs[:, 2] + rng.normal(0, 0.02, len(runs))
scores = np.round(scores, 6)


def columns(factors, pairs):
    x = [factors[name] for name in factors] + [factors[p] * factors[q] for p, q in pairs]
    return np.column_stack([np.ones(len(x[0])), *x])


def estimable(x):
    rank = np.linalg.matrix_rank(x)
    return [bool(np.linalg.matrix_rank(np.vstack([x, row])) == rank) for row in np.eye(x.shape[1])[1:]]


def case(factors, pairs, y):
    x = columns(factors, pairs)
    fit = sm.OLS(y, x).fit()
    terms = [*factors, *(f"{p} x {q}" for p, q in pairs)]
    known = estimable(x)
    ci = fit.conf_int()
    effects = [
        {"term": t, "effect": float(fit.params[j]), "standardError": float(fit.bse[j]), "low": float(ci[j][0]), "high": float(ci[j][1]),
         "pValue": float(fit.pvalues[j]), "df": float(fit.df_resid)}
        for j, (t, k) in enumerate(zip(terms, known), start=1) if k
    ]
    labels = np.unique(x, axis=0, return_inverse=True)[1].ravel()
    saturated = sm.OLS(y, np.equal.outer(labels, np.unique(labels)).astype(float)).fit()
    lack = None
    if saturated.df_resid > 0 and fit.df_resid > saturated.df_resid:
        f, p, _ = saturated.compare_f_test(fit)
        lack = {"f": float(f), "pValue": float(p), "dfs": [float(fit.df_resid - saturated.df_resid), float(saturated.df_resid)]}
    return {
        "factors": {k: v.tolist() for k, v in factors.items()}, "pairs": pairs, "scores": y.tolist(), "effects": effects,
        "notEstimable": [t for t, k in zip(terms, known) if not k], "residualDf": int(fit.df_resid), "residualVariance": float(fit.mse_resid),
        "lackOfFit": lack,
    }


main = {name: runs[:, i] for i, name in enumerate(NAMES)}
pairs = [list(p) for p in itertools.combinations(NAMES, 2)]
together = {**main, "e": main["d"]}  # d and e always come together
doses = {**main, "dose": np.round(rng.choice([0.0, 0.1, 0.5, 1.0], len(runs)), 2)}
constant = {**main, "always": np.ones(len(runs))}
singles_only = {name: np.eye(5)[:, i].repeat(2) for i, name in enumerate(NAMES)}  # intercept + 5 indicators that sum to 1

# With items: contrasts of items and clustered variances by statsmodels, Satterthwaite by its definition.
sizes = [2, 1, 3, 2, 2, 1, 4, 2, 3, 1, 2, 2]
groups = [f"g{k}" for k, size in enumerate(sizes) for _ in range(size)]
n = len(groups)
items = np.round(scores[:, None] + 0.3 * rng.normal(size=n) + 0.1 * runs @ rng.normal(size=(5, n)) + 0.1 * rng.normal(size=(len(runs), n)), 4)


def clustered(d):
    codes = np.unique(groups, return_inverse=True)[1]
    return sm.OLS(d, np.ones(len(d))).fit(cov_type="cluster", cov_kwds={"groups": codes}, use_t=True).bse[0] ** 2


def with_items():
    y = items.mean(1)
    x = columns(main, [])
    fit = sm.OLS(y, x).fit()
    residuals = np.array([sm.OLS(items[:, i], x).fit().resid for i in range(n)])  # [items, runs]
    noise = sum(clustered(residuals[:, r]) for r in range(len(y))) / fit.df_resid
    inverse = np.linalg.inv(x.T @ x)
    weights = inverse @ x.T
    out = []
    for j, name in enumerate(NAMES, start=1):
        parts = [(clustered(weights[j] @ items), len(sizes) - 1), (inverse[j, j] * fit.mse_resid, fit.df_resid),
                 (inverse[j, j] * noise, fit.df_resid * (len(sizes) - 1))]
        variance = parts[0][0] + max(0, parts[1][0] - parts[2][0])
        df = max(variance**2 / sum(v**2 / d for v, d in parts), min(len(sizes) - 1, fit.df_resid))
        low, high = stats.t.interval(0.95, df, loc=fit.params[j], scale=np.sqrt(variance))
        out.append({"term": name, "effect": float(fit.params[j]), "standardError": float(np.sqrt(variance)), "df": float(df), "low": float(low), "high": float(high)})
    return {"scores": items.tolist(), "groups": groups, "effects": out}


expected = {
    "cases": [
        case(main, [], scores), case(main, pairs, scores), case(together, [], scores), case(together, pairs[:4], scores),
        case(doses, [["a", "dose"]], scores), case(constant, [], scores), case(singles_only, [], np.round(rng.normal(size=10), 4)),
    ],
    "items": with_items(),
}
write(__file__, expected, SEED, MODULES)
