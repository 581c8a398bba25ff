"""Cleans the redistributable source texts and writes one JSONL file of documents per source, plus a manifest.

Reads `$MIXTUNE_DATA/pretrain-text` (or --data), writes `<out>/<source>.jsonl` with rows {"text": ...} and
`<out>/manifest.json` with the SHA-256 of every input file, document and character counts.
Only sources whose terms allow redistribution are read; see SOURCES and the NOTICE file.

    python prepare.py --data DIR --out DIR
"""
import argparse
import gzip
import hashlib
import json
import os
import pathlib
import re

BOOKS = ("introduction-business", "principles-economics", "college-success", "introduction-intellectual-property")
NLTK = ("state_union", "inaugural", "genesis")
SOURCES = {  # name -> file below pretrain-text
    "fed": "fed_speeches_and_minutes.jsonl.gz",
    "sec": "sec_filings_2023_2024.jsonl.gz",
    "openstax": "openstax_textbooks.jsonl.gz",
    "public_domain": "nltk_english_corpora.jsonl.gz",
    "tinystories": "tinystories_sample.txt.gz",
}


def sha256(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def rows(path):
    with gzip.open(path, "rt", encoding="utf-8") as f:
        for line in f:
            yield json.loads(line)


def tidy(text):
    """Plain spaces, no control characters, at most one empty line."""
    text = text.replace("\r", "").replace("\u00a0", " ").replace("\u200b", "").replace("\ufeff", "")
    text = re.sub(r"[\x00-\x08\x0b-\x1f]", " ", text)
    text = re.sub(r"[ \t]+", " ", text)
    text = re.sub(r" ?\n ?", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def fed(path):
    for r in rows(path):
        t = tidy(r["text"])
        # words broken at a line end in the original ("invest- ment"), not "short- and long-term"
        t = re.sub(r"([a-z]{2,})- (?!(?:and|or|to|term|run|than|versus)\b)([a-z]{2,})", r"\1\2", t)
        if len(t) > 400:
            yield t


STARTERS = ("The|We|Our|In|For|As|This|These|If|On|At|It|Net|Total|Item|ITEM|Table|Note|See|Any|Although|However|Refer|During|Under|To|A|An|By|"
            "Cost|Sales|Revenue|Gross|Operating|Interest|Income|Certain|When|While|There|Such|From|Based|Other|Changes|All|Each|Because|Due|Risk")
JUNK = re.compile(r"us-gaap|xbrl|iso4217|:\w+Member|dei:|srt:|http://|Check mark|check mark|☒|☐|____|Table of Contents|Form 10-[KQ] \||\.{4,}|,\)|P\d+[YM]\b")


def split_run_together(t):
    """Puts line ends back where the extraction glued headings, cells and sentences together."""
    t = t.replace("Table of Contents", "\n")
    t = re.sub(r"(?<=[.;:!?”\)])\d{0,3}(?=[A-Z][a-z]|[A-Z]{3})", "\n", t)
    t = re.sub(rf"(?<=[a-z\)”])(?=(?:{STARTERS})[ ,])", "\n", t)
    t = re.sub(r"(?<=[A-Z]{3})(?=[A-Z][a-z]{2,} )", "\n", t)
    t = re.sub(r"(?<=[a-z])\d{1,3}(?=[A-Z][a-z])", "\n", t)
    t = re.sub(r"(?<=[a-z]\.)\d{1,2}(?= ?[A-Z(])", "\n", t)
    return t


def sec(path):
    seen = set()  # quarterly filings repeat each other: a sentence is kept once
    for r in rows(path):
        kept = []
        for line in split_run_together(tidy(r["text"])).split("\n"):
            for s in re.split(r"(?<=[.!?”])\s+(?=[A-Z“])", line.strip()):
                words = s.split()
                letters = sum(c.isalpha() for c in s)
                if len(words) < 4 or len(s) < 25 or JUNK.search(s) or letters < 0.68 * len(s) or max(map(len, words)) > 28:
                    continue
                if re.search(r"[a-z]{2,}[A-Z][a-z]+[A-Z][a-z]+|\d[A-Z][a-z]{3,}|[a-z]{3,}\d{3,}|\d,\d{3}\d", s) or not re.search(r"[.:;!?”)]$", s):
                    continue
                key = hash(re.sub(r"\W+", "", s.lower()))
                if key in seen:
                    continue
                seen.add(key)
                kept.append(s)
        text = ""
        for i, s in enumerate(kept):  # paragraphs of a few sentences
            text += s + ("\n" if i % 6 == 5 else " ")
        for part in re.findall(r"(?s).{1,12000}(?:\n|$)", text):
            if len(part) > 300:
                yield part.strip()


def openstax(path):
    seen = set()
    for r in rows(path):
        if not any(r["book"].startswith(b) for b in BOOKS):
            continue
        paragraphs = []
        for p in tidy(r["text"]).split("\n"):
            key = hash(p.lower())
            if len(p) > 60 and key in seen:  # bundles repeat modules across editions
                continue
            seen.add(key)
            paragraphs.append(p)
        t = tidy("\n".join(paragraphs))
        if len(t) > 300:
            yield r["title"] + "\n" + t


def public_domain(path):
    for r in rows(path):
        if r["source"] in NLTK:
            t = r["text"]
            if r["source"] == "genesis":
                t = re.sub(r"(?<!\n)\n(?!\n)", " ", t)
            t = tidy(t)
            for part in re.findall(r"(?s).{1,20000}(?:\n|$|(?<=\.) )", t):
                if len(part) > 200:
                    yield part.strip()


def tinystories(path):
    text = gzip.open(path, "rt", encoding="utf-8").read()
    for part in re.split(r"(?:^|\n)(?=once upon a time|one day)|<\|endoftext\|>", text):
        part = tidy(part)
        if len(part) > 150:
            yield part


READERS = {"fed": fed, "sec": sec, "openstax": openstax, "public_domain": public_domain, "tinystories": tinystories}


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--data", default=os.environ.get("MIXTUNE_DATA"), help="folder that holds pretrain-text (default: $MIXTUNE_DATA)")
    ap.add_argument("--out", required=True)
    a = ap.parse_args()
    if not a.data:
        ap.error("--data or MIXTUNE_DATA: expected the folder that holds pretrain-text, got nothing.")
    out = pathlib.Path(a.out)
    out.mkdir(parents=True, exist_ok=True)
    manifest = {}
    for name, file in SOURCES.items():
        path = pathlib.Path(a.data) / "pretrain-text" / file
        n = chars = 0
        with open(out / f"{name}.jsonl", "w", encoding="utf-8") as f:
            for text in READERS[name](path):
                f.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
                n += 1
                chars += len(text)
        manifest[name] = {"file": file, "sha256": sha256(path), "documents": n, "characters": chars}
        print(name, n, chars, flush=True)
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()
