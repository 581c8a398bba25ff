"""Makes expected.json: ROUGE-L of rouge-score, chrF of sacrebleu, exact match and token F1 of transformers' SQuAD evaluation.

Run: python test/golden/metrics/text/make.py   (needs rouge-score, sacrebleu, transformers 4; texts are our own)
"""

import importlib.metadata
import importlib.util
import json
import logging
import pathlib
import platform
import random
import sys
import types

from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import CHRF

# The file alone: the package would ask for much that these few functions do not need. Later versions have it no more.
root = pathlib.Path(importlib.util.find_spec("transformers").submodule_search_locations[0])
for name in ("transformers", "transformers.data", "transformers.data.metrics", "transformers.models", "transformers.models.bert", "transformers.utils"):
    module = types.ModuleType(name)
    module.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
    sys.modules[name] = module
sys.modules["transformers.models.bert"].BasicTokenizer = object
sys.modules["transformers.utils"].logging = types.SimpleNamespace(get_logger=logging.getLogger)
from transformers.data.metrics.squad_metrics import compute_exact, compute_f1

SEED = 20241004
HERE = pathlib.Path(__file__).parent
random.seed(SEED)

WORDS = "the a an revenue rose fell by 5% to $1,200 million, in 2019 (restated). Net income; loss; and/or it's “up” don't Zürich cash-flow".split()
PAIRS = [
    ("The cat sat on the mat.", "the cat is on a mat"),
    ("", "something"),
    ("something", ""),
    ("", ""),
    ("the", "a"),
    ("the", "cash"),
    ("Cash-flow: $1,200!", "cash flow $1200"),
    ("a man, a plan, a canal", "canal plan man"),
    ("same same same", "same"),
    ("über Zürich", "Über zürich"),
    ("日本の売上は増加した", "日本の売上は減少した"),
    ("x", "x"),
    ("ab", "abc"),
    ("tab\tand\nnew line", "tab and new line"),
    ("gr\U0001f600wth", "growth"),
] + [
    (" ".join(random.choices(WORDS, k=random.randint(1, 25))), " ".join(random.choices(WORDS, k=random.randint(1, 25))))
    for _ in range(40)
]
rouge = RougeScorer(["rougeL"], use_stemmer=False)
chrf = CHRF()
pairs = [
    {
        "output": output,
        "reference": reference,
        "exact_match": compute_exact(reference, output),
        "token_f1": float(compute_f1(reference, output)),
        "rouge_l": rouge.score(reference, output)["rougeL"].fmeasure,
        "chrf": chrf.sentence_score(output, [reference]).score / 100,
    }
    for output, reference in PAIRS
]
corpus = chrf.corpus_score([o for o, _ in PAIRS], [[r for _, r in PAIRS]]).score / 100
(HERE / "expected.json").write_text(json.dumps({"pairs": pairs, "corpus_chrf": corpus}) + "\n")
version = importlib.metadata.version
(HERE / "provenance.json").write_text(
    json.dumps(
        {
            "command": "python test/golden/metrics/text/make.py",
            "versions": {"python": platform.python_version(), **{n: version(n) for n in ("rouge-score", "sacrebleu", "transformers")}},
            "seed": SEED,
        },
        indent=2,
    )
    + "\n"
)
