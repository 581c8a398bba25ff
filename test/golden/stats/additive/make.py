"""Makes expected.json: scores of unseen mixtures predicted by a sum of ingredients, from statsmodels; each left out in turn, from scikit-learn.

Run: python test/golden/stats/additive/make.py   (needs numpy, scipy, scikit-learn, statsmodels)
"""

import itertools
import pathlib
import sys

import numpy as np
import scipy
import sklearn
import statsmodels
import statsmodels.api as sm
from scipy import stats
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import LeaveOneOut, cross_val_predict

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from written import write

SEED = 20251123
MODULES = [np, scipy, sklearn, statsmodels]
rng = np.random.default_rng(SEED)

NAMES = ["a", "b", "c", "d"]  # beside the task t, which all hold
held = [(), *[(i,) for i in range(4)], *[m for m in itertools.combinations(range(4), 3)], tuple(range(4))]
x = np.array([[1.0, *[float(i in m) for i in range(4)]] for m in held])
sizes = [2, 1, 3, 2, 2, 1, 4, 2, 3, 1, 2, 2]
groups = [f"g{k}" for k, size in enumerate(sizes) for _ in range(size)]
n = len(groups)
truth = np.array([0.6, 0.05, -0.02, 0.0, 0.03])
items = np.round((x @ truth)[:, None] + rng.normal(0, 0.02, len(x))[:, None] + 0.1 * rng.normal(size=n) + 0.05 * rng.normal(size=(len(x), n)), 4)
y = items.mean(1)
fit = sm.OLS(y, x).fit()
unseen = [m for m in itertools.combinations(range(4), 2)]


def clustered(d):
    codes = np.unique(groups, return_inverse=True)[1]
    return sm.OLS(d, np.ones(len(d))).fit(cov_type="cluster", cov_kwds={"groups": codes}, use_t=True).bse[0] ** 2


residuals = np.array([sm.OLS(items[:, i], x).fit().resid for i in range(n)])
noise = sum(clustered(residuals[:, r]) for r in range(len(y))) / fit.df_resid
AGAINST = 5


def gain(row, with_items):
    weights = row @ np.linalg.pinv(x)
    weights[AGAINST] -= 1
    own = weights @ weights + 1
    if with_items:
        parts = [(clustered(weights @ items), len(sizes) - 1), (own * fit.mse_resid, fit.df_resid), (own * noise, fit.df_resid * (len(sizes) - 1))]
        variance = parts[0][0] + max(0, parts[1][0] - parts[2][0])
        df = max(variance**2 / sum(v**2 / d for v, d in parts), min(len(sizes) - 1, fit.df_resid))
    else:
        variance, df = own * fit.mse_resid, fit.df_resid
    low, high = stats.t.interval(0.95, df, loc=weights @ y, scale=np.sqrt(variance))
    return {"difference": float(weights @ y), "standardError": float(np.sqrt(variance)), "df": float(df), "low": float(low), "high": float(high)}


cases = []
for m in unseen:
    row = np.array([1.0, *[float(i in m) for i in range(4)]])
    frame = fit.get_prediction(row[None, :]).summary_frame(alpha=0.05).iloc[0]
    cases.append(
        {
            "held": ["t", *[NAMES[i] for i in m]],
            "score": {"difference": float(frame["mean"]), "low": float(frame["obs_ci_lower"]), "high": float(frame["obs_ci_upper"])},
            "gain": gain(row, False),
            "gainWithItems": gain(row, True),
        }
    )
left_out = cross_val_predict(LinearRegression(), x[:, 1:], y, cv=LeaveOneOut())
of_mean = np.array([np.delete(y, i).mean() for i in range(len(y))])
expected = {
    "held": [["t", *[NAMES[i] for i in m]] for m in held],
    "items": items.tolist(),
    "groups": groups,
    "against": AGAINST,
    "residualDf": int(fit.df_resid),
    "cases": cases,
    "check": {
        "numChecked": len(y),
        "meanError": float(np.abs(left_out - y).mean()),
        "meanErrorOfMean": float(np.abs(of_mean - y).mean()),
        "correlation": float(stats.pearsonr(left_out, y)[0]),
    },
}
write(__file__, expected, SEED, MODULES)
