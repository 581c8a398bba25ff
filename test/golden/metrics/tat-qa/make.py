"""Makes expected.json: exact match, F1 and scale of TAT-QA's own evaluation on answers of our own.

The evaluation is no package: TATQA_SCRIPTS names a folder with its tatqa_metric.py and tatqa_utils.py. Without it expected.json is left as it is.
A model's answer there is a list of parts and a scale; `output` is the text that says the same. Not asked for are the cases in which the script
goes by the spelling of a number (5 and 5.0 within words), scales a part twice that names its scale itself, or orders parts by their capitals, nor
what a text cannot say otherwise: a percentage without the scale percent.
Run: TATQA_SCRIPTS=FOLDER python test/golden/metrics/tat-qa/make.py   (needs numpy, scipy)
"""

import json
import os
import pathlib
import platform
import random
import sys

HERE = pathlib.Path(__file__).parent
if "TATQA_SCRIPTS" not in os.environ:
    sys.exit(print("TATQA_SCRIPTS names no folder with TAT-QA's evaluation: expected.json is left as it is."))
sys.path.insert(0, os.environ["TATQA_SCRIPTS"])
import numpy
import scipy
import tatqa_metric
import tatqa_utils

SEED = 20241004
rng = random.Random(SEED)
SCALES = ["", "", "thousand", "million", "billion", "percent"]
WORDS = "sales cost-plus the net a of revenue, contracts (services) an rose by 2019 $7 12% method. and gross profit".split()


def number():
    value = rng.choice([rng.randint(-999, 9999), round(rng.uniform(-99, 999), 2), round(rng.uniform(-1, 1), 4)])
    text = f"{abs(value):,}" if rng.random() < 0.5 else str(abs(value))
    text = f"${text}" if rng.random() < 0.3 else text
    return (f"({text})" if rng.random() < 0.5 else f"-{text}") if value < 0 else text


def words():
    text = " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 5)))
    return words() if tatqa_utils.is_number(text) else text


def near(part):
    """The part again, or something like it."""
    kind = rng.randint(0, 6)
    if kind < 3:
        return part
    if tatqa_utils.is_number(part):
        value = tatqa_utils.to_number(part)
        return rng.choice([str(value), str(round(value, 1)), str(-value), number(), f"{round(value / 100, 4)}"])
    tokens = part.split()
    fewer = " ".join(tokens[1:])
    return rng.choice([fewer if fewer and not tatqa_utils.is_number(fewer) else part, " ".join(tokens[::-1]), part + " " + rng.choice(WORDS), words()])


def said(parts, scale):
    if scale == "":
        return "; ".join(parts)
    return "; ".join(f"{part}%" if scale == "percent" else f"{part} {scale}" for part in parts)


def case():
    kind = rng.choice(["span", "span", "multi-span", "arithmetic", "count"])
    if kind == "arithmetic":
        gold, scale = [str(round(rng.uniform(-99, 999), 2))], rng.choice(SCALES)
    elif kind == "count":
        gold, scale = [str(rng.randint(1, 9))], ""
    else:
        numeric = rng.random() < 0.4
        gold = [number() if numeric else words() for _ in range(rng.randint(2, 4) if kind == "multi-span" else 1)]
        scale = rng.choice(SCALES) if numeric else ""
    pred = [near(part) for part in gold]
    if len(pred) == 1 and rng.random() < 0.3:
        pred = [pred[0].capitalize()]
    if kind == "multi-span":
        rng.shuffle(pred)
        pred = pred[: rng.randint(1, len(pred))] + ([words()] if rng.random() < 0.3 else [])
    numbers = all(tatqa_utils.is_number(part) for part in pred)
    pred_scale = (scale if rng.random() < 0.6 else rng.choice(SCALES)) if numbers else ""
    return {"type": kind, "gold": gold, "scale": scale, "pred": pred, "pred_scale": pred_scale}


def scored(one):
    metric = tatqa_metric.TaTQAEmAndF1()
    answer = one["gold"] if "span" in one["type"] else float(one["gold"][0]) if one["type"] == "arithmetic" else one["gold"][0]
    metric({"answer_type": one["type"], "answer": answer, "scale": one["scale"]}, one["pred"], one["pred_scale"])
    exact, f1, scale, _ = metric.get_overall_metric()
    return {**one, "output": said(one["pred"], one["pred_scale"]), "expected": [exact, float(f1), scale]}


cases = [scored(case()) for _ in range(600)]
(HERE / "expected.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")
(HERE / "provenance.json").write_text(
    json.dumps(
        {
            "command": "TATQA_SCRIPTS=FOLDER python test/golden/metrics/tat-qa/make.py",
            "versions": {
                "python": platform.python_version(),
                "numpy": numpy.__version__,
                "scipy": scipy.__version__,
                "NExTplusplus/TAT-QA tatqa_metric.py": "c54088c, its scoring alone",
                "fengbinzhu/TAT-LLM tatqa_utils.py": "506932e, the authors' copy, its scoring alone",
            },
            "seed": SEED,
        },
        indent=2,
    )
    + "\n"
)
