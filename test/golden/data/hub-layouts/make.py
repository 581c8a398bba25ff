"""Golden for the hub sources of the paper's seven tasks (arXiv 2410.01109): repositories with their file names, formats, column orders and types,
filled with rows that are made up here, and what the datasets library reads in them.

The layouts are those that public code and the hub's pages show:
  FinGPT/*: AI4Finance-Foundation/FinGPT fingpt/FinGPT_Benchmark/data/prepare_data.ipynb makes the rows; columns and splits as in their cards
  odedovadia/financial_phrasebank_split, ChanceFocus/flare-finqa, zeroshot/*: columns as meniData1/cocktail_effect src/cocktail.py reads them

Needs `datasets` (scripts/ci/requirements.txt).
"""

import csv
import importlib.metadata
import json
import pathlib
import random
import shutil
import sys
import tempfile

from datasets import ClassLabel, Dataset, Features, Value, load_dataset

HERE = pathlib.Path(__file__).parent
REPOS = HERE / "repos"
# a copy of the PhraseBank whose classes have other numbers
REORDERED = HERE / "reordered"
SEED = 20241002


def instructed(rows):
    """Columns in the order of the FinGPT sets."""
    texts = Features({name: Value("string") for name in ["input", "output", "instruction"]})
    columns = {name: [row[i] for row in rows] for i, name in enumerate(["input", "output", "instruction"])}
    return Dataset.from_dict(columns, features=texts)


# --- nine questions a headline, each in one of several wordings, the choices in either order

SUBJECTS = [
    "price",
    "price going up",
    "price staying constant",
    "price going down",
    "price in the past",
    "price in the future",
    "a general event (apart from prices) in the past",
    "a general event (apart from prices) in the future",
    "comparing gold with any other asset",
]
ASKED = [
    "Is this headline on {}?",
    "Say whether the line covers {}.",
    "In this line, is {} discussed?",
    "The line: does it concern {}?",
]


def headline(rng, headlines):
    rows = []
    for text, answers in headlines:
        for subject, answer in zip(SUBJECTS, answers):
            choices = rng.sample(["Yes", "No"], 2)
            rows.append((text, answer, rng.choice(ASKED).format(subject) + "\nOptions: " + ", ".join(choices)))
    return instructed(rows)


YES, NO = "Yes", "No"
HEADLINES = {
    "train": [
        ("gold gains a dollar in quiet trade", [NO, YES, NO, NO, YES, NO, NO, NO, NO]),
        ("gold and silver sleep through the day", [YES, NO, YES, NO, YES, NO, NO, NO, YES]),
        ("the mint of Zorbia opens its vaults", [NO, NO, NO, NO, NO, NO, YES, NO, NO]),
        ("gold to shine next year, says the mint", [NO, YES, NO, NO, NO, YES, NO, NO, NO]),
        ("gold slips before the feast of lamps", [NO, NO, NO, YES, YES, NO, NO, YES, NO]),
    ],
    # the last of train is also here, as repeated headlines of the original fall on both sides
    "test": [
        ("gold slips before the feast of lamps", [NO, NO, NO, YES, YES, NO, NO, YES, NO]),
        ("gold may fall when the vaults open again", [NO, NO, NO, YES, NO, YES, NO, YES, NO]),
    ],
}

# --- one entity a sentence, in every wording, and all of it again for each entity that the sentence has

KINDS = ["location", "organization", "person"]
WHICH = [
    "Which kind of entity is '{}' in the sentence?",
    "By the sentence, give the kind of '{}'.",
    "Name the kind of the entity '{}'.",
]


def entities(rng, sentences):
    rows = []
    for sentence, entity, kind, times in sentences:
        for _ in range(times):
            for which in WHICH:
                rows.append((sentence, kind, which.format(entity) + "\nOptions: " + ", ".join(rng.sample(KINDS, 3))))
    return instructed(rows)


SENTENCES = {
    "train": [
        ("Zorb Tyres lends to Ilse Voss at Port Ada .", "Port Ada", "location", 3),
        ("The notes are held by O'Dell and Sons .", "O'Dell and Sons", "organization", 1),
        ("Signed by Omar Voss for the lender .", "Omar Voss", "person", 2),
    ],
    "test": [("Done at Lindau by Quux Bank .", "Quux Bank", "organization", 2)],
}

# --- a page with its table in HTML, the turns before, and a question without an answer

PAGES = {
    "a": (
        "sales rose in 2031 , as table 1 shows .",
        [["1", "", "2031", "2030"], ["2", "sales", "$ 12", "$ 8"]],
        "costs were flat .",
    ),
    "b": ("rent is paid yearly .", [["1", "", "2031"], ["2", "rent", "3"]], "see note 4 ."),
    "c": ("the hall was sold .", [["1", "", "2031"], ["2", "price", "40"]], "no more halls are left ."),
}
TURNS = {
    "train": [
        ("a", ["what were sales in 2031?", "and in 2030?", "did they rise?"], ["12.0", "8.0", "yes"]),
        ("b", ["what is rent?"], ["3.0"]),
    ],
    "test": [("c", ["what was the price of the hall?", "and half of that?"], ["40.0", "20.0"])],
}


def html(table):
    cells = lambda row: "".join(f"<td>{cell}</td>" for cell in row)
    text = "<table class='wikitable'>" + "".join(f"<tr>{cells(row)}</tr>" for row in table) + "</table>"
    return text.replace("<td></td>", "<td>-</td>")


def turns(dialogues):
    rows = []
    for page, questions, answers in dialogues:
        before, table, after = PAGES[page]
        for at, question in enumerate(questions):
            text = f"{before} {html(table)} {after}\n"
            for i in range(at):
                text += f"Question: {questions[i]}\nAnswer: {answers[i]}\n"
            rows.append(
                (text + f"Question: {question}\n", answers[at], "Read the page and answer the last question.\n")
            )
    return instructed(rows)


# --- id, query, answer, text

QUESTIONS = {
    "train": [("a", "what were sales in 2031?", "12.0"), ("b", "what is a third of the rent?", "1.0")],
    "valid": [("a", "did sales rise?", "yes")],
    "test": [("c", "what is an eighth of the price?", "5.0")],
}


def finqa(rows):
    columns = {"id": [], "query": [], "answer": [], "text": []}
    for i, (page, question, answer) in enumerate(rows):
        before, table, after = PAGES[page]
        text = before + "\n" + "\n".join("|" + "|".join(row[1:]) + "|" for row in table) + "\n" + after
        columns["id"].append(f"finqa{i}")
        columns["query"].append(f"Answer from the context.\nContext: {text}\nQuestion: {question}\nAnswer:")
        columns["answer"].append(answer)
        columns["text"].append(question)
    return Dataset.from_dict(columns)


# --- sentence and label, a class with names

PHRASES = {
    "train": [
        ("Profit of Zorb Oyj fell to nil .", 0),
        ("The hall in Lindau opens in June .", 1),
        ("Sales of kites rose by a third .", 2),
        ("Orders for tyres doubled , the firm said .", 2),
    ],
    "test": [("The loss of Quux Bank widened .", 0), ("Sales of kites rose by a third .", 2)],
}


SENTIMENTS = ["negative", "neutral", "positive"]


def phrases(rows, names=SENTIMENTS):
    features = Features({"sentence": Value("string"), "label": ClassLabel(names=names)})
    labels = [names.index(SENTIMENTS[label]) for _, label in rows]
    return Dataset.from_dict({"sentence": [text for text, _ in rows], "label": labels}, features=features)


# --- tables of text and a number, as CSV

TWEETS = {
    "sent": {
        "train": [
            ("$ZORB sinks after the feast https://t.co/a1", 0),
            ('$QUUX soars, "best day" yet', 1),
            ("The bell rings\nas ever", 2),
            ("Open day at the mint", 2),
        ],
        "valid": [("Open day at the mint https://t.co/b2", 2), ("$PLOP slides on weak tyres", 0)],
    },
    "topic": {
        "train": [
            ("Oil &gt; $70 as tankers wait", 6),
            ("Zorb goes public at last", 11),
            ("Shares end the day flat", 19),
        ],
        "valid": [("The bank of Zorbia keeps its rate", 1)],
    },
}


def table(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["text", "label"])
        writer.writerows(rows)


def main():
    rng = random.Random(SEED)
    for folder in [REPOS, REORDERED]:
        shutil.rmtree(folder, ignore_errors=True)
    REORDERED.mkdir()
    phrases(PHRASES["train"], SENTIMENTS[::-1]).to_parquet(REORDERED / "train-00000-of-00001.parquet")

    def parquet(repo, names, splits, make):
        folder = REPOS / repo / "data"
        folder.mkdir(parents=True)
        for split, rows in splits.items():
            make(rows).to_parquet(folder / f"{split}-00000-of-00001{names.get(split, '')}.parquet")

    parquet(
        "FinGPT/fingpt-headline-cls",
        {"train": "-076115da2f92cef9", "test": "-cf6e616f865b5590"},
        HEADLINES,
        lambda rows: headline(rng, rows),
    )
    parquet(
        "FinGPT/fingpt-ner-cls",
        {"train": "-b7fd93300d28495b", "test": "-71355aae60cb2b0b"},
        SENTENCES,
        lambda rows: entities(rng, rows),
    )
    parquet("FinGPT/fingpt-convfinqa", {"train": "-7acaa8cc8803a6e9", "test": "-bd8f5a41f70344d2"}, TURNS, turns)
    names = {"train": "-76a97cdb03ed8a9c", "valid": "-ebe922b746bd1328", "test": "-5ed0ee6b1f761c33"}
    parquet("ChanceFocus/flare-finqa", names, QUESTIONS, finqa)
    parquet("odedovadia/financial_phrasebank_split", {}, PHRASES, phrases)
    for repo, kind in [("twitter-financial-news-sentiment", "sent"), ("twitter-financial-news-topic", "topic")]:
        folder = REPOS / "zeroshot" / repo
        folder.mkdir(parents=True)
        for split, rows in TWEETS[kind].items():
            table(folder / f"{kind}_{split}.csv", rows)

    expected = {}
    with tempfile.TemporaryDirectory() as cache:
        for folder in sorted(path for org in REPOS.iterdir() for path in org.iterdir()):
            read = load_dataset(str(folder), cache_dir=cache)
            expected[str(folder.relative_to(REPOS))] = {split: rows.to_list() for split, rows in read.items()}
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n")
    versions = {
        "python": sys.version.split()[0],
        **{name: importlib.metadata.version(name) for name in ["datasets", "pyarrow"]},
    }
    provenance = {"command": "python test/golden/data/hub-layouts/make.py", "versions": versions, "seed": SEED}
    (HERE / "provenance.json").write_text(json.dumps(provenance, indent=2) + "\n")


if __name__ == "__main__":
    main()
