"""Makes expected.json: the bootstrap distributions themselves, by going through every resample, with scikit-learn's metrics.

Run: python test/golden/stats/resampling/make.py   (needs numpy, scipy, scikit-learn)
"""

import itertools
import math
import pathlib
import sys

import numpy as np
import scipy
import sklearn
from scipy import stats
from sklearn.metrics import f1_score

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from written import write

SEED = 20241103
MODULES = [np, scipy, sklearn]
rng = np.random.default_rng(SEED)

sizes = [4, 6, 3, 5, 4, 7, 5]
groups = [f"g{k}" for k, size in enumerate(sizes) for _ in range(size)]
numbers = np.repeat(np.arange(len(sizes)), sizes)
n = len(groups)
gold = rng.integers(0, 3, n)


def model(skill):
    return np.where(rng.random(n) < skill, gold, rng.integers(0, 3, n))


a = [model(0.8) for _ in range(3)]
b = [model(0.5) for _ in range(4)]


def multisets(count, draws):
    """Every multiset of so many draws out of count things, with its probability."""
    for drawn in itertools.combinations_with_replacement(range(count), draws):
        times = np.bincount(drawn, minlength=count)
        ways = math.factorial(draws) // math.prod(math.factorial(t) for t in times)
        yield times, ways / count**draws


def weighted_f1(predicted, times):
    items = np.repeat(np.arange(n), times[numbers])
    return f1_score(gold[items], predicted[items], average="weighted", zero_division=np.nan)


def summary(values, chances, estimate, df):
    order = np.argsort(values)
    cumulative = np.cumsum(np.array(chances)[order])
    at = lambda p: float(np.array(values)[order][np.searchsorted(cumulative, p)])
    tail = stats.norm.cdf(stats.t.ppf(0.025, df))
    centre = np.average(values, weights=chances)
    return {
        "difference": float(estimate), "df": float(df), "mean": float(centre),
        "standardDeviation": float(np.sqrt(np.average((values - centre) ** 2, weights=chances))),
        "low": at(tail), "high": at(1 - tail),
    }


G = len(sizes)
one = np.ones(G, dtype=int)
item_draws = [(times, chance, [weighted_f1(x, times) for x in a], [weighted_f1(x, times) for x in b]) for times, chance in multisets(G, G - 1)]
paired = summary(
    np.array([fa[0] - fb[0] for _, _, fa, fb in item_draws]), [chance for _, chance, _, _ in item_draws],
    weighted_f1(a[0], one) - weighted_f1(b[0], one), G - 1,
)

values, chances = [], []
for _, chance, fa, fb in item_draws:
    for ta, ca in multisets(len(a), len(a) - 1):
        for tb, cb in multisets(len(b), len(b) - 1):
            values.append(np.average(fa, weights=ta) - np.average(fb, weights=tb))
            chances.append(chance * ca * cb)
full_a = [weighted_f1(x, one) for x in a]
full_b = [weighted_f1(x, one) for x in b]
values = np.array(values)
centre = np.average(values, weights=chances)
total = np.average((values - centre) ** 2, weights=chances)
parts = [(np.var(full_a, ddof=1) / len(a), len(a) - 1), (np.var(full_b, ddof=1) / len(b), len(b) - 1)]
parts.append((max(0, total - sum(v for v, _ in parts)), G - 1))
df = total**2 / sum(v**2 / d for v, d in parts)
hierarchical = summary(values, chances, np.mean(full_a) - np.mean(full_b), df)

# Of the difference of the two means over seeds, and of each seed around its mixture's mean.
weights = [chance for _, chance, _, _ in item_draws]


def spread(x):
    x = np.array(x)
    centre = np.average(x, axis=0, weights=weights)
    return np.average((x - centre) ** 2, axis=0, weights=weights)


items = spread([np.mean(fa) - np.mean(fb) for _, _, fa, fb in item_draws])
noise = sum(spread([np.array(f) - np.mean(f) for f in fs]).sum() for fs in ([i[2] for i in item_draws], [i[3] for i in item_draws]))
df_seeds = len(a) + len(b) - 2
seeds = (np.var(full_a, ddof=1) * (len(a) - 1) + np.var(full_b, ddof=1) * (len(b) - 1)) / df_seeds
expected = {
    "groups": groups, "gold": gold.tolist(), "a": [x.tolist() for x in a], "b": [x.tolist() for x in b],
    "paired": paired, "hierarchical": hierarchical,
    "seeded": {"items": float(items), "variance": float(seeds), "noise": float(noise / df_seeds), "df": df_seeds},
}
write(__file__, expected, SEED, MODULES)
