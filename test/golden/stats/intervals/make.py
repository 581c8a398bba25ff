"""Makes expected.json: distribution values from scipy, intervals from statsmodels, on generated numbers.

Run: python test/golden/stats/intervals/make.py   (needs numpy, scipy, statsmodels)
"""

import pathlib
import sys

import numpy as np
import scipy
import statsmodels
import statsmodels.api as sm
from scipy import special, stats
from statsmodels.stats.proportion import proportion_confint

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from written import write

SEED = 20241001
rng = np.random.default_rng(SEED)

xs = [-30.0, -8.0, -3.5, -3.0, -2.999, -1.0, -1e-3, 0.0, 0.3, 1.96, 2.9999, 3.0, 5.0, 8.0]
ps = [1e-300, 1e-12, 1e-6, 0.001, 0.025, 0.3, 0.5, 0.7, 0.975, 0.999999]
dfs = [0.7, 1.0, 2.0, 3.4, 7.0, 30.0, 97.0, 1211.0, 1e6]
ts = [-40.0, -3.1, -0.2, 0.0, 1e-3, 1.7, 12.0]
t_ps = [1e-6, 0.005, 0.025, 0.4, 0.5, 0.8, 0.975, 0.9999]

# Scores of two models over 7 seeds-by-items blocks with clusters of unequal size.
sizes = [1, 3, 2, 9, 1, 4, 9, 2, 6, 1, 5]
groups = [f"g{k}" for k, size in enumerate(sizes) for _ in range(size)]
n = len(groups)
shift = dict(zip(dict.fromkeys(groups), rng.normal(0, 0.5, len(sizes))))
a = (rng.random((3, n)) < 0.7).astype(float)
b = (rng.random((2, n)) < 0.5).astype(float)
graded = [float(rng.random() + shift[g]) for g in groups]


def clustered(d, names):
    codes = np.unique(names, return_inverse=True)[1]
    fit = sm.OLS(d, np.ones(len(d))).fit(cov_type="cluster", cov_kwds={"groups": codes}, use_t=True)
    low, high = fit.conf_int()[0]
    return {"difference": float(fit.params[0]), "standardError": float(fit.bse[0]), "low": float(low), "high": float(high), "pValue": float(fit.pvalues[0])}


def pooled(samples):
    """Within-sample variance as statsmodels' one-way analysis of variance has it."""
    values = np.concatenate(samples)
    labels = np.repeat(np.arange(len(samples)), [len(s) for s in samples])
    fit = sm.OLS(values, np.equal.outer(labels, np.unique(labels)).astype(float)).fit()
    return float(fit.mse_resid), int(fit.df_resid)


def satterthwaite(seed_variance, df_seeds, noise, df_noise):
    """Welch-Satterthwaite by its definition, the item part from statsmodels' cluster covariance."""
    d = a.mean(0) - b.mean(0)
    weight = 1 / len(a) + 1 / len(b)
    parts = [(clustered(d, groups)["standardError"] ** 2, len(sizes) - 1), (weight * seed_variance, df_seeds), (weight * noise, df_noise)]
    variance = parts[0][0] + max(0, parts[1][0] - parts[2][0])
    df = max(variance**2 / sum(part**2 / df for part, df in parts if part), min(len(sizes) - 1, df_seeds))
    low, high = stats.t.interval(0.95, df, loc=d.mean(), scale=np.sqrt(variance))
    p = 2 * stats.t.sf(abs(d.mean()) / np.sqrt(variance), df)
    return {"df": float(df), "difference": float(d.mean()), "low": float(low), "high": float(high), "pValue": float(p)}


def item_noise(runs):
    """Pooled clustered variance of the mean of each run's item residuals."""
    total, df = 0.0, 0
    for seeds in runs:
        total += sum(clustered(seed - seeds.mean(0), groups)["standardError"] ** 2 for seed in seeds)
        df += len(seeds) - 1
    return total / df, df * (len(sizes) - 1)


mixtures = [[0.71, 0.74, 0.69], [0.52, 0.55], [0.6, 0.66], [0.8]]
variance, df_seeds = pooled(mixtures)
noisy, df_noisy = pooled([a.mean(1), b.mean(1)])
noise, df_noise = item_noise([a, b])
sample = rng.normal(size=17)
expected = {
    "normal": {"x": xs, "cdf": stats.norm.cdf(xs).tolist(), "p": ps, "quantile": stats.norm.ppf(ps).tolist()},
    "t": [
        {"df": df, "t": ts, "cdf": stats.t.cdf(ts, df).tolist(), "p": t_ps, "quantile": stats.t.ppf(t_ps, df).tolist()}
        for df in dfs
    ],
    "logGamma": [{"x": x, "value": float(special.gammaln(x))} for x in [1e-3, 0.35, 0.5, 1.5, 3.25, 9.99, 10.0, 605.5, 5e5]],
    "wilson": [
        {"successes": s, "n": m, "interval": [float(v) for v in proportion_confint(s, m, 0.05, "wilson")]}
        for s, m in [(0, 1), (1, 1), (0, 40), (40, 40), (7, 9), (982, 1212), (1, 20547)]
    ],
    "sample": {
        "values": sample.tolist(),
        "mean": float(sample.mean()),
        "standardDeviation": float(sample.std(ddof=1)),
        "p": [0.0, 0.025, 0.31, 0.5, 0.975, 1.0],
        "quantile": np.quantile(sample, [0.0, 0.025, 0.31, 0.5, 0.975, 1.0]).tolist(),
    },
    "paired": {"groups": groups, "graded": graded, "a": a.tolist(), "b": b.tolist(),
               "clustered": clustered(a[0] - np.array(graded), groups),
               "single": clustered(a[0] - np.array(graded), [str(i) for i in range(n)])},
    "seeded": {"mixtures": mixtures, "pooled": variance, "dfSeeds": df_seeds, **satterthwaite(variance, df_seeds, 0, 1)},
    "noisy": {"variance": noisy, "df": df_noisy, "noise": noise, "dfNoise": df_noise,
              # Seed variance of 4 times the noise: otherwise there is none beyond it in random scores.
              "more": satterthwaite(4 * noise, df_noisy, noise, df_noise), "less": satterthwaite(noise / 4, df_noisy, noise, df_noise)},
}
write(__file__, expected, SEED, [np, scipy, statsmodels])
