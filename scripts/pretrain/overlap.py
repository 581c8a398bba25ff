"""Counts, for every test set below a data folder, the rows that share a word 13-gram with the pre-training corpus.

Words are lower-cased runs of letters and digits. A row is all its strings; a 13-gram never crosses two strings of a row or two
documents. Rows without 13 words in a row cannot overlap and are counted in `rows` all the same. Writes JSON and prints a table.

    python overlap.py --data DIR --corpus DIR --out overlap.json
"""
import argparse
import collections
import csv
import gzip
import io
import json
import os
import pathlib
import re
import sys
import zipfile

import numpy as np

N = 13
TEST_FILES = """
fingpt-format-test-sets/fpb_test.jsonl fingpt-format-test-sets/fiqa_test.jsonl fingpt-format-test-sets/ner_test.jsonl.gz fingpt-format-test-sets/nwgi_test.jsonl.gz
twitter-financial-news-sentiment/sent_valid.csv twitter-financial-news-topic/topic_valid.csv gold-headlines/headlines.csv.gz fiqa-sa/task1_test.json
fin-ner-sec-filings/FIN3.txt finer-ord/test.csv finred/test.txt finqa/cbr_test_noCase.csv.gz finqa/test_500.json.gz convfinqa/convfinqa_dev_dialogues.json.gz convfinqa/test_private.json.gz
tat-qa/tatqa_dataset_test_gold.json.gz financebench/financebench_open_source.jsonl cfa-exam/flare_cfa.json cfa-exam/cfa_challenge.json mmlu/mmlu.zip bbh/bbh.zip ifeval/input_data.jsonl
agieval/aqua-rat.jsonl agieval/logiqa-en.jsonl agieval/lsat-ar.jsonl agieval/lsat-lr.jsonl agieval/lsat-rc.jsonl agieval/sat-en.jsonl.gz agieval/sat-math.jsonl
commonsense-mcq/ARC-Challenge_test.json commonsense-mcq/ARC-Easy_test.json.gz commonsense-mcq/CommonsenseQA_dev_rand_split.jsonl commonsense-mcq/boolq_test.json commonsense-mcq/openbookqa_test.json
commonsense-mcq/piqa_test.json commonsense-mcq/social_i_qa_test.json commonsense-mcq/winogrande_test.json gsm8k/test.jsonl svamp/SVAMP.json asdiv/ASDiv.xml mawps/testset.json aqua/aqua_test.json
mathqa/mathqa_test.json.gz math-hendrycks/math_test.jsonl.gz self-instruct/user_oriented_instructions.jsonl openorca-dpo-sample/orca_dpo_pairs_validation.jsonl
""".split()


def strings(value):
    """All strings inside a JSON value; lists of short cells (tables, tokens) are one string."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        if value and all(isinstance(v, (str, int, float)) for v in value):
            yield " ".join(map(str, value))
        else:
            for v in value:
                yield from strings(v)
    elif isinstance(value, dict):
        for v in value.values():
            yield from strings(v)


def json_rows(text):
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    if isinstance(value, dict):
        value = next((v for v in value.values() if isinstance(v, list) and len(v) > 10), None) or list(value.values())
    return value


def rows(path):
    """[[string, …]] of a test file."""
    name = path.name
    if name.endswith(".zip"):
        out = []
        with zipfile.ZipFile(path) as z:
            for member in z.namelist():
                text = z.read(member).decode("utf-8", "replace") if not member.endswith("/") else ""
                if member.endswith(".csv") and "test" in member:
                    out += [list(r) for r in csv.reader(io.StringIO(text))]
                elif member.endswith(".json"):
                    out += [list(strings(r)) for r in json_rows(text)]
        return out
    raw = gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_bytes()
    text = raw.decode("utf-8", "replace")
    name = name.removesuffix(".gz")
    if path.parent.name == "finer-ord":
        sentences = collections.defaultdict(list)
        for r in csv.DictReader(io.StringIO(text)):
            sentences[r["doc_idx"], r["sent_idx"]].append(r["gold_token"])
        return [[" ".join(s)] for s in sentences.values()]
    if path.parent.name == "fin-ner-sec-filings":
        return [[" ".join(line.split()[0] for line in block.split("\n") if line.split())] for block in re.split(r"\n\s*\n", text)]
    if path.parent.name == "finred":
        return [[line.split("|")[0]] for line in text.splitlines() if line]
    if name.endswith(".xml"):
        return [re.findall(r"<(?:Body|Question)>(.*?)</", block, re.S) for block in re.findall(r"<Problem .*?</Problem>", text, re.S)]
    if name.endswith(".csv"):
        return [[v for v in r.values() if isinstance(v, str) and not v.startswith("http")] for r in csv.DictReader(io.StringIO(text))]
    return [list(strings(r)) for r in json_rows(text)]


class Grams:
    """Hashes of word 13-grams; word numbers are shared by all texts."""

    def __init__(self):
        self.ids = {}
        rng = np.random.default_rng(0)
        self.odd = rng.integers(1, 2**63, N, dtype=np.uint64) | np.uint64(1)
        self.values = rng.integers(1, 2**63, 4_000_000, dtype=np.uint64)

    def of(self, text):
        ids = self.ids
        words = [ids.setdefault(w, len(ids)) for w in re.findall(r"[a-z0-9]+", text.lower())]
        if len(words) < N:
            return np.empty(0, np.uint64)
        v = self.values[np.array(words) % len(self.values)]
        total = np.zeros(len(v) - N + 1, np.uint64)
        with np.errstate(over="ignore"):
            for i in range(N):
                total += v[i:len(v) - N + 1 + i] * self.odd[i]
        return total


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--data", default=os.environ.get("MIXTUNE_DATA"))
    ap.add_argument("--corpus", required=True, help="folder with the JSONL documents that were trained on")
    ap.add_argument("--out", required=True)
    a = ap.parse_args()
    grams, tests = Grams(), {}
    for file in TEST_FILES:
        path = pathlib.Path(a.data) / file
        if path.exists():
            tests[file] = [np.unique(np.concatenate([grams.of(s) for s in r] or [np.empty(0, np.uint64)])) for r in rows(path)]
        else:
            print("missing:", file, file=sys.stderr)
    wanted = np.unique(np.concatenate([g for t in tests.values() for g in t]))
    hit, hit_in = np.zeros(len(wanted), bool), {}
    for path in sorted(pathlib.Path(a.corpus).glob("*.jsonl")):
        found = np.zeros(len(wanted), bool)
        for line in open(path, encoding="utf-8"):
            for piece in json.loads(line)["text"].split("<|endoftext|>"):
                g = grams.of(piece)
                at = np.searchsorted(wanted, g)
                at[at == len(wanted)] = 0
                found[at[wanted[at] == g]] = True
        hit |= found
        hit_in[path.stem] = found
    report = {}
    for file, t in tests.items():
        index = [np.searchsorted(wanted, g) for g in t]
        n = sum(bool(hit[i].any()) for i in index)
        by = {k: sum(bool(f[i].any()) for i in index) for k, f in hit_in.items()}
        report[file] = {"rows": len(t), "rows_with_13_words": sum(len(g) > 0 for g in t), "rows_with_overlap": n, "share": round(n / max(1, len(t)), 5), "by_source": {k: v for k, v in by.items() if v}}
        print(f"{file:60s} {len(t):7d} {report[file]['rows_with_13_words']:7d} {n:5d} {n / max(1, len(t)):.3%} {report[file]['by_source'] or ''}", flush=True)
    pathlib.Path(a.out).write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
