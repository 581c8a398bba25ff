"""log p of labels, their tokens and the end of turn summed, as transformers has it: one plain forward pass over prompt and label a score, no cache, no
shared beginnings, log-softmax and sum in float64. Of the tiny decoders of test/golden/models (ids drawn), whole and with their PEFT adapter, and of
the base model that ships (texts, tokenised here by the tokenizers library).

Run: python test/golden/eval/label-scores/make.py
"""

import os
import sys

import torch
from transformers import AutoTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from tiny_decoders import NAMES, ROOT, TINY, adapted, load, load_folder, write

SEED = 20261123
END = 0
# Of drawn prompts: tokens that all begin with, and each one's own; then two that share nothing.
SHARED, OWN, ALONE = 9, [1, 4, 7, 2, 13, 31], [1, 43]
# phi3-long takes its long factors where a sequence has more than 7 tokens; networks are made for more (decision 0005).
PAD_TO = {"phi3-long": 8}

TEXTS = [
    "Up or down?",
    "Label the sentiment of this sentence as positive, neutral or negative.\nOrders at the Oulu plant rose by 12.5% to EUR 3.1 million, from EUR 2.8 million.",
    "Label the sentiment of this sentence as positive, neutral or negative.\nThe board proposes no dividend.",
    "Label the sentiment of this sentence as positive, neutral or negative.\nCosts — wages above all — ate the gain; “we’re not done”, said the CFO. 利益は減少した。",
    "Label the sentiment of this sentence as positive, neutral or negative.\n" + "Net sales of the third quarter were below those of the second one. " * 23,
    "  \n\tblanks before and after \n ",
    "Does the text mention a company?\n" + "".join(f"Row {i}: {i * 37 % 101}.{i % 10} | {i * i}\n" for i in range(97)),
]
# Many labels of words in common; PROBED: some of them, for every prompt.
WORDS = ["card", "cash", "account", "rate", "fee", "loan", "limit", "not", "is", "the", "of", "new", "old", "lost", "wrong", "late"]
MANY = [" ".join([WORDS[i % 16], WORDS[i * 5 // 16 % 16], WORDS[i * i % 13], "in"][: 2 + i % 3]) for i in range(600)]
MANY = list(dict.fromkeys(MANY))
PROBED = range(0, len(MANY), 7)
LABELS = ["positive", "neutral", "negative", "Yes", "No", "price", "price up", "price up or down", "A", "Not applicable: the text says nothing of the kind (n/a)", "12.5%", "été 利益"]


def scores(model, prompt, labels, pad_to=0):
    row = []
    for label in labels:
        ids = prompt + label
        with torch.no_grad():
            logits = model(torch.tensor([ids + [1] * (pad_to - len(ids))])).logits[0].double()
        steps = torch.log_softmax(logits[len(prompt) - 1 : len(ids) - 1], dim=-1)
        row.append(steps[range(len(label)), label].sum().item())
    return row


def random_case(name):
    g = torch.Generator().manual_seed(SEED)
    model = load(name)
    draw = lambda n: torch.randint(2, model.config.vocab_size, (n,), generator=g).tolist()
    beginning = draw(SHARED)
    prompts = [beginning + draw(n) for n in OWN] + [draw(n) for n in ALONE]
    a, b, c, d = draw(1), draw(2), draw(3), draw(5)
    labels = [label + [END] for label in [a, a + b, a + b[:1] + c, c, d]]
    table = lambda m: [scores(m, prompt, labels, PAD_TO.get(name, 0)) for prompt in prompts]
    return {"prompts": prompts, "labels": labels, "full": table(model), "lora": table(adapted(name))}


def shipped_case():
    folder = os.path.join(ROOT, TINY)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    encode = lambda text: tokenizer(text, add_special_tokens=False).input_ids
    prompts = [encode(text + "\nAnswer:") for text in TEXTS]
    labels = [encode(" " + label) + [tokenizer.eos_token_id] for label in LABELS]
    model = load_folder(folder)
    many = [encode(" " + label) + [tokenizer.eos_token_id] for label in MANY]
    probed = [scores(model, prompt, [many[k] for k in PROBED]) for prompt in prompts[:4]]
    whole = {"texts": TEXTS, "label_texts": LABELS, "prompts": prompts, "labels": labels, "full": [scores(model, prompt, labels) for prompt in prompts]}
    return whole | {"many": {"label_texts": MANY, "probed": list(PROBED), "full": probed}}


torch.set_num_threads(1)
reads = [f"{TINY}/{name}" for name in ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]]
write(HERE, {"shipped": shipped_case(), "random": {name: random_case(name) for name in NAMES}}, SEED, reads)
