"""Makes expected.json: simultaneous intervals and chances of being best from scipy's multivariate t and normal distributions, expected maxima
by going through all subsets.

Run: python test/golden/stats/selection/make.py   (needs numpy, scipy)
"""

import itertools
import pathlib
import sys

import numpy as np
import scipy
from scipy import optimize, stats

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from written import write

SEED = 20241104
MODULES = [np, scipy]
rng = np.random.default_rng(SEED)

K, N = 4, 300
common = rng.normal(size=N)
scores = np.round([0.6 * common + 0.8 * rng.normal(size=N) + shift for shift in (0.0, 0.12, 0.05, 0.1)], 4)
reference = np.round(0.6 * common + 0.8 * rng.normal(size=N), 4)
item_covariance = lambda x: np.cov(x) / N
SEED_VARIANCE = 0.003  # of one run's mean; two seeds of the mixtures, three of the reference


def critical(covariance, df):
    """c with P(all |T| < c) = 0.95."""
    spread = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(spread, spread)
    law = stats.multivariate_t(shape=correlation, df=df, seed=1)
    inside = lambda c: law.cdf(np.full(K, c), lower_limit=np.full(K, -c), maxpts=200000, random_state=1) - 0.95
    return float(optimize.brentq(inside, 1.5, 4, xtol=1e-4))


def best(estimates, covariance):
    """Chance that each is highest when all move normally around their estimates, drawn together as empirical Bayes has it."""
    centre = np.eye(K) - 1 / K
    noise = np.trace(centre @ covariance @ centre) / (K - 1)
    estimates = np.sqrt(max(0, 1 - noise / np.var(estimates, ddof=1))) * estimates
    chances = []
    for k in range(K):
        others = [j for j in range(K) if j != k]
        contrast = np.zeros((K - 1, K))
        for row, j in enumerate(others):
            contrast[row, [j, k]] = 1, -1
        law = stats.multivariate_normal(contrast @ estimates, contrast @ covariance @ contrast.T, seed=1)
        chances.append(float(law.cdf(np.zeros(K - 1))))
    return chances


def case(relative, seeds):
    d = scores - reference if relative else scores
    covariance = item_covariance(d)
    if seeds:
        covariance = covariance + SEED_VARIANCE * (np.eye(K) / 2 + (1 / 3 if relative else 0))
    estimates = d.mean(1)
    return {
        "relative": relative, "seeds": seeds, "estimates": estimates.tolist(), "standardErrors": np.sqrt(np.diag(covariance)).tolist(),
        "criticalValue": critical(covariance, N - 1), "chances": best(estimates, covariance),
    }


trials = np.round(rng.normal(0.8, 0.03, 9), 4)
expected = {
    "scores": scores.tolist(), "reference": reference.tolist(), "seedVariance": SEED_VARIANCE,
    "cases": [case(relative, seeds) for relative in (False, True) for seeds in (False, True)],
    "trials": trials.tolist(),
    "expectedMaximum": [float(np.mean([max(s) for s in itertools.combinations(trials, k)])) for k in range(1, len(trials) + 1)],
}
write(__file__, expected, SEED, MODULES)
