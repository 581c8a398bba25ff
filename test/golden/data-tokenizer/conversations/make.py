"""What transformers makes of conversations with the chat templates of ../kinds and ../families: expected.json. Null where the template refuses.

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
CONVERSATIONS = [[QUESTION, ANSWER, AGAIN], [SYSTEM, QUESTION], [SYSTEM, QUESTION, ANSWER, AGAIN]]


def case(tokenizer, messages):
    try:
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    except Exception:  # raise_exception of the template
        return {"messages": messages, "text": None, "ids": None}
    return {"messages": messages, "text": text, "ids": tokenizer(text, add_special_tokens=False)["input_ids"]}


folders = sorted(path.parent for path in HERE.parent.glob("*/*/tokenizer.json"))
expected = {}
for folder in folders:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    expected[f"{folder.parent.name}/{folder.name}"] = [case(tokenizer, messages) for messages in CONVERSATIONS]
(HERE / "expected.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n")
(HERE / "provenance.json").write_text(json.dumps({
    "command": "python test/golden/data-tokenizer/conversations/make.py",
    "versions": {"python": platform.python_version(), "tokenizers": tokenizers.__version__, "transformers": transformers.__version__},
    "seed": 0,
}, indent=2) + "\n")
