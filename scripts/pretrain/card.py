"""Writes the model card assets/tiny/README.md from the run's log, the corpus manifest, the overlap report and the recipe.

    python card.py --run DIR --corpus DIR --overlap overlap.json --recipe FILE --notes FILE --out README.md
"""
import argparse
import json
import pathlib

import yaml

SOURCES = {
    "generated": ("the project's own generated text (scripts/pretrain/generate.py)", "Apache-2.0, this project"),
    "fed": ("Federal Reserve speeches and FOMC minutes", "US government text"),
    "sec": ("SEC 10-K and 10-Q filings of 13 companies, 2023-2024, cleaned, repeated sentences dropped", "public company filings"),
    "openstax": ("OpenStax: Introduction to Business, Principles of Economics, College Success, Introduction to Intellectual Property", "CC BY 4.0"),
    "public_domain": ("State of the Union and inaugural addresses, Genesis (KJV and World English Bible)", "public domain"),
    "tinystories": ("TinyStories, a lower-cased sample", "CDLA-Sharing-1.0 (Eldan & Li 2023)"),
}


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("run", "corpus", "overlap", "recipe", "out"):
        ap.add_argument(f"--{name}", required=True)
    ap.add_argument("--hardware", default="2 cores of an AMD EPYC (AVX-512 bf16), shared with other work")
    ap.add_argument("--notes", default="", help="a Markdown file put under 'How it was trained'")
    a = ap.parse_args()
    log = [json.loads(line) for line in open(pathlib.Path(a.run) / "log.jsonl")]
    manifest = json.loads((pathlib.Path(a.corpus) / "manifest.json").read_text())
    overlap = json.loads(pathlib.Path(a.overlap).read_text())
    t = yaml.safe_load(open(a.recipe))["train"]
    last = [r for r in log if "heldout" in r][-1]
    seen, total = last["seen_by_source"], last["tokens"]
    curve = [r for r in log if "loss" in r]
    marks = [0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0]

    def mean_loss(at):
        near = [r["loss"] for r in curve if abs(r["tokens"] - at) <= 0.02 * total and r["length"] == 256]
        return sum(near) / len(near) if near else float("nan")

    data = "\n".join(f"| {SOURCES[k][0]} | {SOURCES[k][1]} | {v / 1e6:.2f} M | {v / total:.1%} | {('`' + manifest[k]['sha256'] + '`') if k in manifest else 'made by the scripts'} |"
                     for k, v in sorted(seen.items(), key=lambda x: -x[1]))
    loss = "\n".join(f"| {m * total / 1e6:.1f} M | {mean_loss(m * total):.2f} |" for m in marks)
    held = "\n".join(f"| {k} | {v['loss']:.3f} | {v['bits_per_byte']:.3f} |" for k, v in last["heldout"].items())
    over = "\n".join(f"| {k} | {v['rows']} | {v['rows_with_overlap']} | {v['share']:.2%} |" for k, v in overlap.items() if v["rows_with_overlap"])
    none = sum(not v["rows_with_overlap"] for v in overlap.values())
    notes = pathlib.Path(a.notes).read_text().strip() if a.notes else ""
    text = f"""---
license: apache-2.0
language: en
library_name: transformers
pipeline_tag: text-generation
---
# mixtune/tiny

A base model of 4.59 M parameters for short finance texts, small enough to ship in an npm package and to be fine-tuned in minutes on two CPU cores.
It is a starting point for fine-tuning, not something to talk to.

| | |
| --- | --- |
| architecture | Llama: hidden 256, 6 layers, 4 query and 2 key/value heads of 64, feed-forward 512, tied head, 4,590,848 parameters |
| positions | 4,096 (one step in twenty was trained on rows of 1,024 to 4,096 tokens, the others on 256) |
| tokenizer | byte-level BPE, 4,096 entries, every digit a token of its own, `<|endoftext|>` = 0 (end, begin, separator), `<|pad|>` = 1; no token is added automatically |
| weights | fp16 safetensors; licence Apache-2.0; terms of the training text: NOTICE |

## Intended use

Fine-tuning on classification and short-answer tasks over company news, market messages and commodity headlines, and studies of data mixtures.
As a base model it continues text. Part of its training text has the form `question⏎text⏎Answer: answer<|endoftext|>`, so it answers such prompts a little even before fine-tuning.
Not for advice of any kind, not for facts, not for generation that a person will read.

## Data

Only text whose terms allow redistribution. No row or label of an evaluation data set was used. {total / 1e6:.1f} M tokens seen in all.

| text | terms | tokens seen | share | SHA-256 of the file read |
| --- | --- | --- | --- | --- |
{data}

About 12 % of the real documents were lower-cased. The generated text holds invented companies, people and figures: news sentences (some in the spaced style of old news corpora), market messages,
commodity headlines, arithmetic, glossaries, and questions and answers that make the meaning explicit. Its labels are those of our own grammar.

## How it was trained

PyTorch on CPU (bf16 autocast, fp32 weights and moments), {a.hardware}; settings in recipes/pretrain-tiny.yaml: AdamW (0.9, 0.95), rate {t['learning_rate']:g}, warm-up {t['warmup_steps']} steps, constant,
linear decay to zero over the last sixth of {last['step']:,} steps, weight decay {t['weight_decay']} on matrices, clip {t['max_grad_norm']:g}, {t['batch_tokens']:,} tokens a step, causal attention over streams of documents.
{notes}

| tokens seen | training loss (nats a token, mean of the steps around) |
| --- | --- |
{loss}

Held-out text (documents chosen by digest, never trained on; rows of 256 tokens), at the end:

| source | nats a token | bits a byte |
| --- | --- | --- |
{held}

## Overlap with test sets

Rows of a test set that share a run of 13 normalised words with the training text (scripts/pretrain/overlap.py; {len(overlap)} test files looked at, {none} of them without any such row; those with some:)

| test file | rows | rows with overlap | share |
| --- | --- | --- | --- |
{over}

Most of it is standing wording of annual reports that comes from the SEC filings. Questions, labels and annotated answers of these sets were not read; passages that they quote may be among the filings.

## Limits

Very small and trained on few tokens: it knows few facts, loses the thread after a sentence or two, cannot calculate, and speaks English only.
The generated text and the filings lean to Nordic and US company news; sentiment follows the view of a shareholder. It repeats the biases of its sources.
It has not been aligned or filtered for harmful output.
"""
    pathlib.Path(a.out).write_text(text)


if __name__ == "__main__":
    main()
