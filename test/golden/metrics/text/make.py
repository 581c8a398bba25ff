"""Makes expected.json: ROUGE-L of rouge-score, chrF of sacrebleu, exact match and token F1 of torchmetrics' SQuAD score.

Run: python test/golden/metrics/text/make.py   (needs rouge-score, sacrebleu, torchmetrics; texts are our own)
"""

import importlib.metadata
import json
import pathlib
import platform
import random

from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import CHRF
from torchmetrics.functional.text import squad

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


def question_score(output, reference):
    """Both scores of one answer, 0 to 1."""
    target = {"id": "1", "answers": {"answer_start": [0], "text": [reference]}}
    scores = squad([{"id": "1", "prediction_text": output}], [target])
    return {"exact_match": int(scores["exact_match"].item() / 100), "token_f1": scores["f1"].item() / 100}


pairs = [
    {
        "output": output,
        "reference": reference,
        **question_score(output, reference),
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
            "versions": {"python": platform.python_version(), **{n: version(n) for n in ("rouge-score", "sacrebleu", "torchmetrics")}},
            "seed": SEED,
        },
        indent=2,
    )
    + "\n"
)
