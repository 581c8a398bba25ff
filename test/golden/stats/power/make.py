"""Makes expected.json: the effect that a paired test finds with 80 % power, solved by statsmodels.

Run: python test/golden/stats/power/make.py   (needs numpy, scipy, statsmodels)
"""

import pathlib
import sys

import numpy as np
import scipy
import statsmodels
from statsmodels.stats.power import NormalIndPower, TTestPower

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from written import write

SEED = None
MODULES = [np, scipy, statsmodels]


def normal(variance, n, power):
    # ratio 0: one sample, of differences.
    return float(NormalIndPower().solve_power(nobs1=n, alpha=0.05, power=power, ratio=0) * np.sqrt(variance))


expected = {
    "items": [
        {"itemVariance": v, "designEffect": e, "numItems": n, "power": p, "difference": normal(v * e, n, p)}
        for v, e, n, p in [(0.1, 1, 970, 0.8), (0.1, 9, 20547, 0.8), (0.25, 1, 150, 0.9), (0.03, 2.5, 90, 0.5), (1.7, 1, 40, 0.8)]
    ],
    # All variance from seeds: a t test with df degrees of freedom, of which ours is the usual approximation.
    "seeds": [
        {"df": df, "standardErrors": float(TTestPower().solve_power(nobs=df + 1, alpha=0.05, power=0.8) * np.sqrt(df + 1))}
        for df in [7, 14, 55]
    ],
}
write(__file__, expected, SEED, MODULES)
