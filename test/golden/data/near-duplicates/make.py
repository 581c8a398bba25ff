"""Makes expected.json: made-up texts with planted copies of all degrees, and every pair's Jaccard of 3-word shingles by brute force on Python sets.

The estimate of datasketch's MinHash (128 permutations) stands beside the pairs that are close, as a second opinion.
Run: python test/golden/data/near-duplicates/make.py   (needs datasketch, numpy)
"""

import itertools
import json
import pathlib
import platform
import random

import datasketch
import numpy as np

SEED = 20241001
THRESHOLD = 0.7
HERE = pathlib.Path(__file__).parent
rng = random.Random(SEED)

subjects = "bank group fund miller grocer airline insurer retailer shipyard utility broker lender foundry brewer carrier".split()
verbs = "raised cut kept doubled halved reviewed published withdrew confirmed doubted met missed".split()
things = "forecast dividend target outlook guidance budget margin rating price wage rent debt order capacity".split()
tails = "quarter year spring autumn merger strike storm audit vote sale launch closure".split()


def sentence():
    return (
        f"The {rng.choice(subjects)} {rng.choice(verbs)} its {rng.choice(things)} for the {rng.choice(tails)}, "
        f"and the {rng.choice(subjects)} {rng.choice(verbs)} the {rng.choice(things)} after the {rng.choice(tails)}"
    )


def text(sentences):
    return ". ".join(sentence() for _ in range(sentences)) + "."


def changed(original, words):
    out = original.split(" ")
    for at in rng.sample(range(len(out)), words):
        out[at] = rng.choice(subjects + things + tails)
    return " ".join(out)


def shingles(value):
    words = [w for w in "".join(c.lower() if c.isalnum() else " " for c in value).split() if w]
    return {tuple(words[i : i + 3]) for i in range(len(words) - 2)}


sets = {"a": [], "b": [], "c": []}
for k in range(60):
    base = text(1 + k % 5)
    sets["a"].append(base)
    # From no change to so many that nothing is left; the other sets get their own changes.
    sets["b"].append(changed(base, k % 7) if k % 3 else base.upper().replace(".", " !"))
    if k % 4 == 0:
        sets["c"].append(changed(base, k % 5))
for name in sets:
    sets[name] += [text(1 + k % 4) for k in range(20)]

rows = [(name, i, value, shingles(value)) for name, values in sets.items() for i, value in enumerate(values)]
pairs = []
for (sa, ia, ta, xa), (sb, ib, tb, xb) in itertools.combinations(rows, 2):
    if sa == sb:
        continue
    jaccard = len(xa & xb) / len(xa | xb)
    if jaccard < 0.4:
        continue
    minhashes = []
    for x in (xa, xb):
        m = datasketch.MinHash(num_perm=128, seed=SEED)
        for shingle in x:
            m.update(" ".join(shingle).encode())
        minhashes.append(m)
    pairs.append({"a": f"{sa}{ia}", "b": f"{sb}{ib}", "jaccard": jaccard, "estimate": minhashes[0].jaccard(minhashes[1])})

found = [p for p in pairs if p["jaccard"] >= THRESHOLD]
expected = {"threshold": THRESHOLD, "sets": sets, "pairs": pairs}
(HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
versions = {"python": platform.python_version(), "numpy": np.__version__, "datasketch": datasketch.__version__}
provenance = {"command": "python test/golden/data/near-duplicates/make.py", "versions": versions, "seed": SEED}
(HERE / "provenance.json").write_text(json.dumps(provenance, indent=2) + "\n")
print(len(rows), "texts", len(pairs), "pairs", len(found), "above the threshold")
