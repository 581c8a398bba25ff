"""A quick look at what a checkpoint is worth: full fine-tuning on PhraseBank or Twitter sentiment in PyTorch, accuracy on dev and on test.

PhraseBank: train = Sentences_50Agree without the sentences of the FinGPT-form test set, test = those 1,212. Dev is a tenth of train by digest;
choose rates and epochs on dev. The label is chosen among the label words by the sum of their log-probabilities.

    python finetune.py --data DIR --model ../../assets/tiny --task fpb --lr 5e-4 --epochs 4 [--random] [--test]
"""
import argparse
import csv
import hashlib
import json
import math
import os
import pathlib
import random
import re
import time

import torch
import torch.nn.functional as F
from model import Llama
from safetensors.torch import load_file
from tokenizers import Tokenizer

QUESTION = {"fpb": "What is the sentiment of this news? Answer with positive, neutral or negative.", "tfns": "What is the sentiment of this tweet: bearish, bullish or neutral?"}
LABELS = {"fpb": ["negative", "neutral", "positive"], "tfns": ["bearish", "bullish", "neutral"]}


def load(data, task):
    data = pathlib.Path(data)
    if task == "fpb":
        test = []
        for line in open(data / "fingpt-format-test-sets/fpb_test.jsonl"):
            r = json.loads(line)
            test.append((re.search(r"Input: (.*)\nAnswer", r["context"], re.S)[1], r["target"].strip()))
        key = lambda s: re.sub(r"[^a-z0-9]", "", s.lower())
        held = {key(t) for t, _ in test}
        lines = (data / "financial-phrasebank/Sentences_50Agree.txt").read_text(encoding="latin-1").splitlines()
        train = [tuple(line.rsplit("@", 1)) for line in lines if "@" in line]
        return [(t, y.strip()) for t, y in train if key(t) not in held], test
    read = lambda f: [(re.sub(r"https?://\S+", "", r["text"]).strip(), LABELS["tfns"][int(r["label"])]) for r in csv.DictReader(open(data / "twitter-financial-news-sentiment" / f, encoding="utf-8"))]
    return read("sent_train.csv"), read("sent_valid.csv")


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--data", default=os.environ.get("MIXTUNE_DATA"))
    ap.add_argument("--model", required=True)
    ap.add_argument("--task", choices=list(LABELS), default="fpb")
    ap.add_argument("--lr", type=float, default=5e-4)
    ap.add_argument("--epochs", type=int, default=4)
    ap.add_argument("--batch", type=int, default=32)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--threads", type=int, default=1)
    ap.add_argument("--random", action="store_true", help="random weights instead of the checkpoint's")
    ap.add_argument("--test", action="store_true", help="open the test set too")
    a = ap.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    tok = Tokenizer.from_file(str(pathlib.Path(a.model) / "tokenizer.json"))
    model = Llama()
    if not a.random:
        model.load_state_dict({k[6:]: v.float() for k, v in load_file(pathlib.Path(a.model) / "model.safetensors").items()}, strict=True)
    answers = [tok.encode(" " + y).ids + [0] for y in LABELS[a.task]]
    rows, test = load(a.data, a.task)
    shape = lambda part: [(tok.encode(f"{QUESTION[a.task]}\n{t}\nAnswer:").ids[:250], LABELS[a.task].index(y)) for t, y in part]
    is_dev = lambda t: int(hashlib.sha256(t.lower().encode()).hexdigest(), 16) % 10 == 0
    train, dev = shape([r for r in rows if not is_dev(r[0])]), shape([r for r in rows if is_dev(r[0])])
    test = shape(test)

    def logp(batch, which):
        """Sum of log p of answer `which[i]` after prompt i: [B]."""
        seqs = [p + answers[y] for (p, _), y in zip(batch, which)]
        T = max(map(len, seqs))
        ids = torch.tensor([s + [1] * (T - len(s)) for s in seqs])
        spots = [(i, len(p) - 1 + j) for i, ((p, _), y) in enumerate(zip(batch, which)) for j in range(len(answers[y]))]
        at = torch.tensor(spots)
        with torch.autocast("cpu", torch.bfloat16):
            h = model.hidden(ids[:, :-1])[at[:, 0], at[:, 1]]
            logits = F.linear(h, model.embed_tokens.weight).float()
        lp = -F.cross_entropy(logits, ids[at[:, 0], at[:, 1] + 1], reduction="none")
        return torch.zeros(len(batch)).index_add(0, at[:, 0], lp)

    def accuracy(part):
        right = 0
        order = sorted(range(len(part)), key=lambda i: len(part[i][0]))
        with torch.no_grad():
            for i in range(0, len(order), 64):
                batch = [part[j] for j in order[i:i + 64]]
                scores = torch.stack([logp(batch, [y] * len(batch)) for y in range(len(answers))], 1)
                right += sum(int(p) == y for p, (_, y) in zip(scores.argmax(1), batch))
        return right / len(part)

    print(json.dumps({"task": a.task, "train": len(train), "dev": len(dev), "test": len(test), "dev_before": round(accuracy(dev), 4)}), flush=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=a.lr, betas=(0.9, 0.999), weight_decay=0.01)
    rng, start = random.Random(a.seed), time.time()
    steps = a.epochs * math.ceil(len(train) / a.batch)
    step = 0
    for epoch in range(a.epochs):
        rng.shuffle(train)
        blocks = [sorted(train[i:i + a.batch * 16], key=lambda r: len(r[0])) for i in range(0, len(train), a.batch * 16)]  # near lengths together
        batches = [b[i:i + a.batch] for b in blocks for i in range(0, len(b), a.batch)]
        rng.shuffle(batches)
        for batch in batches:
            for g in optimizer.param_groups:
                g["lr"] = a.lr * min((step + 1) / (0.06 * steps), max(0.0, 1 - step / steps))
            loss = -logp(batch, [y for _, y in batch]).mean()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            step += 1
        print(json.dumps({"epoch": epoch + 1, "loss": round(loss.item(), 4), "dev": round(accuracy(dev), 4), "seconds": round(time.time() - start)}), flush=True)
    if a.test:
        print(json.dumps({"lr": a.lr, "epochs": a.epochs, "seed": a.seed, "random": a.random, "test": round(accuracy(test), 4)}), flush=True)


if __name__ == "__main__":
    main()
