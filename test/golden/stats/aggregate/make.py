"""Makes expected.json: interquartile means from scipy, their stratified bootstrap distribution by going through every resample.

Run: python test/golden/stats/aggregate/make.py   (needs numpy, scipy)
"""

import itertools
import pathlib
import sys

import numpy as np
import scipy
from scipy import stats

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from written import write

SEED = 20241105
MODULES = [np, scipy]
rng = np.random.default_rng(SEED)

samples = [np.round(rng.normal(size=n), 4).tolist() for n in (1, 2, 3, 4, 5, 7, 8, 40)]
scores = [np.round(rng.normal(0.5, 0.1, k) + shift, 4).tolist() for k, shift in ((3, 0.0), (3, 0.2), (2, -0.1), (2, 0.05))]
stretched = [np.mean(seeds) + np.sqrt(len(seeds) / (len(seeds) - 1)) * (np.array(seeds) - np.mean(seeds)) for seeds in scores]
draws = [
    stats.trim_mean(np.concatenate(drawn), 0.25)
    for drawn in itertools.product(*(list(itertools.product(seeds, repeat=len(seeds))) for seeds in stretched))
]
df = sum(len(seeds) - 1 for seeds in scores)
tail = stats.norm.cdf(stats.t.ppf(0.025, df))
expected = {
    "samples": [{"values": s, "interquartileMean": float(stats.trim_mean(s, 0.25))} for s in samples],
    "scores": scores,
    "estimate": float(stats.trim_mean(np.concatenate(scores), 0.25)),
    "standardDeviation": float(np.std(draws)), "low": float(np.quantile(draws, tail)), "high": float(np.quantile(draws, 1 - tail)),
}
write(__file__, expected, SEED, MODULES)
