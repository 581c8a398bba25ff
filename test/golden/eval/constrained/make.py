"""What transformers generates greedily when prefix_allowed_tokens_fn holds it to a list of labels, on the tiny decoders of test/golden/models (ids drawn)
and on the base model that ships; and on the latter to a number: tokens that keep the text a beginning of a regular expression, which the regex library
judges by partial matching. The smallest gap between the two best allowed logits is noted: ids can be demanded only where arithmetic cannot flip them.

Run: python test/golden/eval/constrained/make.py
"""

import os
import sys

import regex
import torch
from transformers import AutoTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from tiny_decoders import NAMES, ROOT, TINY, adapted, load, load_folder, write

SEED = 20261124
END, PAD = 0, 1
SHARED, OWN = 9, [1, 4, 7, 2, 13]

LABELS = ["positive", "neutral", "negative", "price", "price up", "price up or down", "no price", "Not applicable (n/a)", "été 利益"]
TEXTS = [
    "Label the sentiment of this sentence.\nOrders at the Oulu plant rose by 12.5% to EUR 3.1 million.",
    "Up or down?",
    "Gold climbed to a record high on Monday as the dollar fell. What does the headline speak of?",
    "利益は減少した。",
    "Tea is grown in hills. " * 31,
]
QUESTIONS = [
    "Solve this problem. Answer with the result alone.\nA box holds 12 pens. How many pens do 3 boxes hold?",
    "Net sales were $ 1,234,567 in 2015 and $ 1,100,000 in 2014.\nQuestion: what were net sales in 2015?",
    "Revenue of $5,735 million. Revenue of $5,735 million. Revenue of $5,735 million. Question: what was revenue? Revenue of",
    "The margin was 12.5%, then 13.5%, then 14.5%, then 15.5%, then 16.5%.\nQuestion: what was the margin? The margin was 12.5%, then",
    "Question: did sales grow?\nAnswer: yes\nQuestion: did costs grow?\nAnswer: yes\nQuestion: did tax grow?",
    "Question: was it -5?\nAnswer: -5\nQuestion: was it -7.25?\nAnswer: -7.25\nQuestion: was it -9.75?",
    "0.1, 0.2, 0.3, 0.4, 0.5, 0.6,",
    "Shares outstanding: 10,000,000; 20,000,000; 30,000,000; 40,000,000.\nQuestion: how many shares?",
    "A loss of $ -3.5 and of $ -4.5 and of $ -5.5.\nQuestion: which loss?",
    "",
    "In what year was this?",
    "Ten percent, 10%; twenty percent, 20%; thirty percent,",
]
WORDS = ["yes", "no"]
MAX_DIGITS = 15
DIGITS = r"(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?"
NUMBER = rf"[+-]?(?:\$?{DIGITS}|{DIGITS}%)"


def held(model, prompts, allowed):
    """allowed(ids so far) -> ids that may come next."""
    rows, gap = [], float("inf")
    for prompt in prompts:
        ids = torch.tensor([prompt])
        out = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=32, eos_token_id=END, pad_token_id=PAD, prefix_allowed_tokens_fn=lambda _, seen: allowed(seen[len(prompt) :].tolist()), output_logits=True, return_dict_in_generate=True)
        new = out.sequences[0, len(prompt) :].tolist()
        assert new[-1] == END
        for at, logits in enumerate(out.logits):
            choices = allowed(new[:at])
            assert choices
            if len(choices) > 1:
                best = logits[0, choices].topk(2).values
                gap = min(gap, (best[0] - best[1]).item())
        rows.append(new)
    return {"ids": rows, "smallest_gap": gap}


def of_labels(labels):
    return lambda seen: sorted({label[len(seen)] for label in labels if len(label) > len(seen) and label[: len(seen)] == seen})


def of_numbers(tokenizer, words):
    texts = {i: token.replace("Ġ", " ") for token, i in tokenizer.get_vocab().items() if token.isascii() or token.startswith("Ġ")}
    texts = {i: text for i, text in texts.items() if i not in (END, PAD) and regex.fullmatch(r"[ 0-9+\-$,.%a-z]+", text)}
    pattern = regex.compile(" ?(?:" + "|".join([NUMBER, *words]) + ")")

    def is_beginning(text):
        digits = sum(c.isdigit() for c in text)
        if digits < MAX_DIGITS - 3:
            return pattern.fullmatch(text, partial=True)
        return any(pattern.fullmatch(text + "1" * more) for more in range(MAX_DIGITS - digits + 1))

    def allowed(seen):
        text = "".join(texts[i] for i in seen if i != END)
        ids = [i for i, more in texts.items() if is_beginning(text + more)]
        return sorted(ids + [END] if pattern.fullmatch(text) else ids)

    return allowed


def random_case(name):
    g = torch.Generator().manual_seed(SEED)
    model = load(name)
    draw = lambda n: torch.randint(2, model.config.vocab_size, (n,), generator=g).tolist()
    beginning = draw(SHARED)
    prompts = [beginning + draw(n) for n in OWN]
    # five first tokens, each with several ways on, one way a beginning of another
    labels = [start + more + [END] for start in [draw(1) for _ in range(5)] for more in [[], draw(1), draw(2), draw(1) + draw(2)]]
    return {"prompts": prompts, "labels": labels, "full": held(model, prompts, of_labels(labels)), "lora": held(adapted(name), prompts, of_labels(labels))}


def shipped_case():
    folder = os.path.join(ROOT, TINY)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = load_folder(folder)
    encode = lambda text: tokenizer(text, add_special_tokens=False).input_ids
    prompts = lambda texts: [encode(text + "\nAnswer:") for text in texts]
    labels = [encode(" " + label) + [END] for label in LABELS]
    numbers = {name: held(model, prompts(QUESTIONS), of_numbers(tokenizer, words)) for name, words in {"alone": [], "or_words": WORDS}.items()}
    for case in numbers.values():
        case["texts"] = [tokenizer.decode(ids[:-1]) for ids in case["ids"]]
    return {
        "labels": {"texts": TEXTS, "label_texts": LABELS, **held(model, prompts(TEXTS), of_labels(labels))},
        "numbers": {"texts": QUESTIONS, "words": WORDS, **numbers},
    }


torch.set_num_threads(1)
reads = [f"{TINY}/{name}" for name in ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]]
write(HERE, {"shipped": shipped_case(), "random": {name: random_case(name) for name in NAMES}}, SEED, reads)
