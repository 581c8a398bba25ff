"""Encodes JSONL documents to token files: `<out>/<source>/<file>.bin` (uint16), and a held-out slice per source `<out>/heldout/<source>.bin`.

A document is held out by a digest of its text (1 in 150, at most 40,000 tokens a source). About 12 % of the real documents are lower-cased
(the generated ones already are). Long documents are cut into parts so that a shuffled pass is well mixed.

    python encode.py --corpus DIR --tokenizer DIR --out DIR [--only NAME]
"""
import argparse
import hashlib
import json
import pathlib
import random

import numpy as np
from tokenizers import Tokenizer

EOT = 0
PART = 6000  # characters


def parts(text):
    """Whole paragraphs or sentences up to PART characters; long rows of the trainer read several parts of one document in a row."""
    while len(text) > PART * 1.5:
        cut = max(text.rfind("\n", 0, PART), text.rfind(". ", 0, PART) + 1, PART // 2)
        yield text[:cut].strip()
        text = text[cut:]
    yield text.strip()


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--corpus", required=True)
    ap.add_argument("--tokenizer", required=True)
    ap.add_argument("--out", required=True)
    ap.add_argument("--only", default="")
    a = ap.parse_args()
    tok = Tokenizer.from_file(str(pathlib.Path(a.tokenizer) / "tokenizer.json"))
    out = pathlib.Path(a.out)
    (out / "heldout").mkdir(parents=True, exist_ok=True)
    for path in sorted(pathlib.Path(a.corpus).glob("*.jsonl")):
        if not path.name.startswith(a.only):
            continue
        source = path.stem.split("-")[0]
        target = out / source / (path.stem + ".bin")
        if target.exists():
            continue
        rng = random.Random(path.stem)
        docs, held, held_chars = [], [], 0
        for line in open(path, encoding="utf-8"):
            text = json.loads(line)["text"]
            for part in parts(text):
                if int(hashlib.sha256(part.encode()).hexdigest(), 16) % 150 == 0 and held_chars < 140000:
                    held.append(part)
                    held_chars += len(part)
                else:
                    docs.append(part.lower() if source != "generated" and rng.random() < 0.12 else part)
        if source not in ("fed", "sec", "openstax"):
            rng.shuffle(docs)
        else:  # runs of three parts stay together, so that long rows hold long context
            runs = [docs[i:i + 3] for i in range(0, len(docs), 3)]
            rng.shuffle(runs)
            docs = [d for run in runs for d in run]
        encode = lambda ds: np.array([t for e in tok.encode_batch(ds) for t in (*e.ids, EOT)], dtype=np.uint16)
        target.parent.mkdir(exist_ok=True)
        ids = np.concatenate([encode(docs[i:i + 2000]) for i in range(0, len(docs), 2000)])
        if held and not (out / "heldout" / f"{source}.bin").exists():
            encode(held).tofile(out / "heldout" / f"{source}.bin")
            (out / "heldout" / f"{source}.json").write_text(json.dumps({"characters": held_chars, "bytes": sum(len(h.encode()) for h in held), "tokens": int(len(encode(held)))}))
        ids.tofile(str(target) + ".tmp")
        pathlib.Path(str(target) + ".tmp").rename(target)
        print(path.stem, len(docs), len(ids), round(sum(map(len, docs)) / len(ids), 2), flush=True)


if __name__ == "__main__":
    main()
