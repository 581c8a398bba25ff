"""What transformers makes of conversations with the chat templates of ../kinds and ../families: expected.json. Where a template refuses one, or leaves
its system text out, what it makes of the conversation merged by hand: the second of each pair below, or the third.

Run: python test/golden/data-tokenizer/conversations/make.py   (needs transformers)
"""

import json
import pathlib
import platform

import tokenizers
import transformers
from transformers import AutoTokenizer

HERE = pathlib.Path(__file__).parent
QUESTION = {"role": "user", "content": "What is a bond?"}
ANSWER = {"role": "assistant", "content": "A loan that is traded."}
AGAIN = {"role": "user", "content": "And 3 shares?\nSay it <briefly>."}
SYSTEM = {"role": "system", "content": "You sell nothing."}


def user(*texts):
    return {"role": "user", "content": "\n\n".join(texts)}


IN_USER = user(SYSTEM["content"], QUESTION["content"])
TWO = user(QUESTION["content"], AGAIN["content"])
ALL = user(SYSTEM["content"], QUESTION["content"], AGAIN["content"])
# Each as a row has it, then merged less to more.
CONVERSATIONS = [
    [[QUESTION, ANSWER, AGAIN]],
    [[SYSTEM, QUESTION], [IN_USER]],
    [[SYSTEM, QUESTION, ANSWER, AGAIN], [IN_USER, ANSWER, AGAIN]],
    [[QUESTION, AGAIN], [TWO]],
    [[SYSTEM, QUESTION, AGAIN], [SYSTEM, TWO], [IN_USER, AGAIN], [ALL]],
    [[QUESTION, ANSWER, SYSTEM, AGAIN], [QUESTION, ANSWER, user(SYSTEM["content"], AGAIN["content"])]],
]


def render(tokenizer, messages):
    try:
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    except Exception:  # raise_exception of the template
        return None
    holds_system = all(m["content"] in text for m in messages if m["role"] == "system")
    return text if holds_system else None


def case(tokenizer, ways):
    text = next(text for way in ways if (text := render(tokenizer, way)) is not None)
    as_it_is = render(tokenizer, ways[0]) is not None
    return {"messages": ways[0], "merged": not as_it_is, "text": text, "ids": tokenizer(text, add_special_tokens=False)["input_ids"]}


folders = sorted(path.parent for path in HERE.parent.glob("*/*/tokenizer.json"))
expected = {}
for folder in folders:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    expected[f"{folder.parent.name}/{folder.name}"] = [case(tokenizer, ways) for ways in CONVERSATIONS]
(HERE / "expected.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n")
(HERE / "provenance.json").write_text(json.dumps({
    "command": "python test/golden/data-tokenizer/conversations/make.py",
    "versions": {"python": platform.python_version(), "tokenizers": tokenizers.__version__, "transformers": transformers.__version__},
    "seed": 0,
}, indent=2) + "\n")
