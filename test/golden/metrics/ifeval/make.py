"""Makes expected.json: verdicts of lm-evaluation-harness's IFEval instructions on responses of our own.

Left out is what needs a model: the language of a response, and the sentence splitter. Where the instructions ask for the language as well
as the case, English is taken for granted; words are parted within one sentence, so that no splitter is loaded.
In place of a sign that is no letter the instructions draw a letter by chance, so none is asked for.
Run: python test/golden/metrics/ifeval/make.py   (needs lm-eval without its dependencies, immutabledict, langdetect, nltk)
"""

import importlib.metadata
import importlib.util
import json
import pathlib
import platform
import sys
import types

import nltk

# The registry loads its data when it is imported; neither data nor a detector is needed here.
nltk.data.find = lambda *_, **__: True
nltk.download = lambda *_, **__: True
word_tokenize = nltk.word_tokenize
nltk.word_tokenize = lambda text: word_tokenize(text, preserve_line=True)

root = pathlib.Path(importlib.util.find_spec("lm_eval").submodule_search_locations[0])
for name in ("lm_eval", "lm_eval.tasks", "lm_eval.tasks.ifeval"):
    module = types.ModuleType(name)
    module.__path__ = [str(root.joinpath(*name.split(".")[1:]))]
    sys.modules[name] = module
from lm_eval.tasks.ifeval import instructions, utils

instructions.langdetect.detect = lambda text: "en"
HERE = pathlib.Path(__file__).parent

RESPONSES = [
    "",
    "   \n ",
    "Hello world.",
    "HELLO WORLD, THIS IS NASA'S U.S. TEAM. I CAN'T STOP; DON'T ASK!",
    "hello there, all in small letters",
    "Mixed: I said NO to A/B tests; the CEO (and the CFO) CANNOT come, O'Neill isn't USA-based... WE'RE done -- OK?",
    "* one\n* two\n- three\n  * four\n** bold **\n*\nfive",
    "*first* and **second** and *third\nbroken* ** ** * *",
    "My answer is yes.",
    "I think my answer is maybe. My answer is maybe.",
    "<<A title>>\nSome text [name] and [address] with [] and [a\nb].\nP.S. remember the milk",
    "<< >>\n<<<>>>\nP. S. no\np.p.s late",
    "P. P. S also this one",
    '"All of this is quoted, is it not?"',
    '"',
    '""',
    "First answer\n******\nSecond answer",
    "Same\n******\nSame ",
    "******\nOne\n******\nTwo\n******",
    "One\n******\n\n******\nTwo",
    "Para one\n***\nPara two\n***\nPara three",
    "***\nPara one\n***\n \n***\nPara two",
    "Section 1\ntext\nSection 2 more\nSECTION 3\nDay1 Day 22",
    '{"a": [1, 2, {"b": null}]}',
    '```json\n{"a": 1}\n```',
    "```\n[1, 2, 3]\n```",
    "```JSON {'a': 1}```",
    "Summary! of all this\n\n'Weekend' plans are here\n\n\"quoted\" start",
    "summary\n\n\n\nweekend\n\nlast",
    "Write a short note. Then the note: rock and rocks, Rock-solid rocket; story, STORY, stories #1 #tag !! über",
    "WRITE A SHORT NOTE. is what I was told.",
    "Sure, here it is:\n\nHello world.\nAnything else?",
    "Sure:\nHOPE YOU AGREE WITH ME.\nBye",
    'I am done. "Hope you agree with me."',
    "naïve café, l'été à 25 °C — 3.5 percent, word_with_underscore, one-two",
    "Première réponse",
    "ÉTÉ À LA PLAGE",
    "été à la plage",
    "12345 67",
    "**Hello** *world*\n\n*nice*",
]
CHECKS = [
    ("change_case:capital_word_frequency", [{"capital_relation": r, "capital_frequency": n} for r in ("at least", "less than") for n in range(1, 15)]),
    ("change_case:english_capital", [{}]),
    ("change_case:english_lowercase", [{}]),
    ("combination:repeat_prompt", [{"prompt_to_repeat": "Write a short note."}, {"prompt_to_repeat": " HELLO world"}]),
    ("combination:two_responses", [{}]),
    ("detectable_content:number_placeholders", [{"num_placeholders": n} for n in (1, 3, 4)]),
    ("detectable_content:postscript", [{"postscript_marker": m} for m in ("P.S.", "P.P.S")]),
    ("detectable_format:constrained_response", [{}]),
    ("detectable_format:json_format", [{}]),
    ("detectable_format:multiple_sections", [{"section_spliter": s, "num_sections": n} for s, n in (("Section", 1), ("Section", 2), ("SECTION", 1), ("Day", 2))]),
    ("detectable_format:number_bullet_lists", [{"num_bullets": n} for n in (1, 2, 3, 4, 5, 6)]),
    ("detectable_format:number_highlighted_sections", [{"num_highlights": n} for n in (1, 2, 3, 4, 5)]),
    ("detectable_format:title", [{}]),
    ("keywords:existence", [{"keywords": k} for k in (["rock"], ["story", "note"], ["ÜBER"], ["hello", "world"])]),
    ("keywords:forbidden_words", [{"forbidden_words": k} for k in (["rock"], ["rocks"], ["stor"], ["été"], ["hello", "nope"])]),
    ("keywords:frequency", [{"keyword": k, "relation": r, "frequency": n} for k in ("story", "rock", "o") for r in ("at least", "less than") for n in (1, 2, 4)]),
    ("keywords:letter_frequency", [{"letter": c, "let_relation": r, "let_frequency": n} for c in ("o", "S", "w") for r in ("at least", "less than") for n in (1, 2, 6)]),
    ("length_constraints:nth_paragraph_first_word", [{"num_paragraphs": p, "nth_paragraph": n, "first_word": w} for p, n, w in ((3, 1, "summary"), (3, 2, "weekend"), (3, 3, "quoted"), (3, 3, "weekend"), (1, 1, "Hello"), (2, 2, "hello"))]),
    ("length_constraints:number_paragraphs", [{"num_paragraphs": n} for n in (1, 2, 3)]),
    ("length_constraints:number_words", [{"relation": r, "num_words": n} for r in ("at least", "less than") for n in (1, 2, 5, 10, 13, 20)]),
    ("punctuation:no_comma", [{}]),
    ("startend:end_checker", [{"end_phrase": p} for p in ("Hope you agree with me.", "else?", " world. ")]),
    ("startend:quotation", [{}]),
]


def verdicts(kind, kwargs):
    strict, loose = "", ""
    for response in RESPONSES:
        item = utils.InputExample(key=0, instruction_id_list=[kind], prompt="", kwargs=[kwargs])
        for judge, where in ((utils.test_instruction_following_strict, "s"), (utils.test_instruction_following_loose, "l")):
            mark = "1" if judge(item, response).follow_instruction_list[0] else "0"
            strict, loose = (strict + mark, loose) if where == "s" else (strict, loose + mark)
    return {"id": kind, "kwargs": kwargs, "strict": strict, "loose": loose}


cases = [verdicts(kind, kwargs) for kind, many in CHECKS for kwargs in many]
(HERE / "expected.json").write_text(json.dumps({"responses": RESPONSES, "cases": cases}) + "\n")
version = importlib.metadata.version
(HERE / "provenance.json").write_text(
    json.dumps(
        {
            "command": "python test/golden/metrics/ifeval/make.py",
            "versions": {"python": platform.python_version(), **{n: version(n) for n in ("lm-eval", "nltk")}},
            "seed": None,
        },
        indent=2,
    )
    + "\n"
)
