"""Makes expected.json: Krippendorff's alpha of nominal verdicts with gaps, by the package krippendorff.

Run: python test/golden/metrics/agreement/make.py   (needs numpy, krippendorff)
"""

import json
import pathlib
import platform
from importlib.metadata import version

import krippendorff
import numpy as np

SEED = 20261123
HERE = pathlib.Path(__file__).parent
rng = np.random.default_rng(SEED)


def case(name, judges):
    """judges: [judges, units] of 0, 1, 2 or nan."""
    data = np.array(judges, dtype=float)
    alpha = krippendorff.alpha(reliability_data=data, level_of_measurement="nominal")
    votes = [[None if np.isnan(v) else int(v) for v in unit] for unit in data.T]
    return {"name": name, "votes": votes, "alpha": float(alpha)}


def panel(num_judges, num_units, skill, missing):
    truth = rng.integers(0, 3, num_units)
    votes = np.where(rng.random((num_judges, num_units)) < skill, truth, rng.integers(0, 3, (num_judges, num_units)))
    return np.where(rng.random((num_judges, num_units)) < missing, np.nan, votes)


x = np.nan
cases = [
    case("two judges, whole", [[0, 1, 2, 0, 1], [0, 1, 1, 0, 2]]),
    case("all agree", [[0, 1, 2, 0], [0, 1, 2, 0], [0, 1, 2, 0]]),
    case("worse than chance", [[0, 1, 0, 1], [1, 0, 1, 0]]),
    case("units with one or no value", [[0, x, 1, x, 2, 2], [0, x, x, x, 2, 1], [1, 2, x, x, x, 1]]),
    case("three judges, chance", panel(3, 60, 0.0, 0.1)),
    case("three judges, fair", panel(3, 150, 0.7, 0.05)),
    case("five judges, good, many gaps", panel(5, 80, 0.9, 0.4)),
    case("one value rare", np.where(panel(3, 100, 0.95, 0.02) == 2, np.where(rng.random((3, 100)) < 0.9, 0, 2), 0)),
]
(HERE / "expected.json").write_text(json.dumps({"cases": cases}) + "\n")
versions = {"python": platform.python_version(), "numpy": np.__version__, "krippendorff": version("krippendorff")}
command = "python test/golden/metrics/agreement/make.py"
(HERE / "provenance.json").write_text(json.dumps({"command": command, "versions": versions, "seed": SEED}, indent=2) + "\n")
