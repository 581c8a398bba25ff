"""What transformers makes of rows in the four shapes under five kinds of chat template: expected.json. The rows are read into messages by hand, here.

For each template and row: ids of the question, of the question behind two shots, and of the whole conversation up to the end of its answer, for each
of two answers (the row's own first).

Run: python test/golden/data-tokenizer/shapes/make.py   (needs transformers; reads ../kinds/byte-level-digits)
"""

import json
import pathlib
import platform

import tokenizers
import transformers
from transformers import AutoTokenizer

HERE = pathlib.Path(__file__).parent
FOLDER = HERE.parent / "kinds" / "byte-level-digits"

TURN = "{{ '<|start|>' + message['role'] + '\\n' + message['content'] + '<|stop|>\\n' }}"
OPEN = "{% if add_generation_prompt %}{{ '<|start|>assistant\\n' }}{% endif %}"
TEMPLATES = {
    "with system role": "{% for message in messages %}" + TURN + "{% endfor %}" + OPEN,
    "without": "{% for message in messages %}{% if message['role'] == 'system' %}{{ raise_exception('no system turn') }}{% endif %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('turns must alternate') }}{% endif %}" + TURN + "{% endfor %}" + OPEN,
    "with default system text": "{% if messages[0]['role'] != 'system' %}{{ '<|start|>system\\nYou are a helper.<|stop|>\\n' }}{% endif %}"
    "{% for message in messages %}" + TURN + "{% endfor %}" + OPEN,
    "with several end tokens": "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'assistant' %}{{ 'A:\n' + message['content'] + '<|stop|><|endoftext|>' }}"
    "{% else %}{{ message['role'] + ': ' + message['content'] + '<|start|>' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ 'A:\n' }}{% endif %}",
    "with an open thought": "{% for message in messages %}" + TURN + "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start|>assistant\\n<think>\\n' }}{% endif %}",
}
END = "<|stop|>"
CLOSED = "\n</think>\n\n"

S, Q1, A1, Q2, A2 = "Reply with one word.", "Is 12 even?", "yes", "And 7?\nSay it.", "no"


def said(role, content):
    return {"role": role, "content": content}


def pair(who, value):
    return {"from": who, "value": value}


MESSAGES = [said("system", S), said("user", Q1), said("assistant", A1), said("user", Q2)]
SINGLE = [said("user", Q2)]
# Blanks, a byte order mark and a control token in texts, an empty system turn.
ODD = [said("system", ""), said("user", "  Is 12 even?\r\n"), said("assistant", " yes\n"), said("user", "\ufeffAnd <|stop|> 7?\u00a0")]
PARTS = [ODD[0], said("user", [{"type": "text", "text": "  Is "}, {"type": "text", "text": "12 even?\r\n"}]), *ODD[2:]]
# Each row with the messages that come before its answer, which is A2.
ROWS = {
    "messages": [
        ({"messages": [*MESSAGES, said("assistant", A2)]}, MESSAGES),
        ({"messages": [*MESSAGES, said("assistant", A2) | {"weight": 1}, said("user", "Thanks."), said("assistant", "Bye.") | {"weight": 0}]}, MESSAGES),
        ({"messages": [*SINGLE, said("assistant", A2)]}, SINGLE),
        ({"messages": [*PARTS, said("assistant", A2)]}, ODD),
    ],
    "sharegpt": [
        ({"system": S, "conversations": [pair("human", Q1), pair("gpt", A1), pair("human", Q2), pair("gpt", A2)]}, MESSAGES),
        ({"conversations": [pair("human", Q1), pair("gpt", A1), pair("human", Q2), pair("gpt", A2), pair("gpt", "Bye.") | {"train": False}]}, MESSAGES[1:]),
    ],
    "alpaca": [
        ({"instruction": "And 7?\nSay it.", "input": "", "output": A2, "system": S, "history": [[Q1, A1]]}, MESSAGES),
        ({"instruction": "And 7?", "input": "Say it.", "output": A2}, [said("user", "And 7?\n\nSay it.")]),
        ({"instruction": " And 7? ", "input": "Say it.\n", "output": A2}, [said("user", " And 7? \n\nSay it.\n")]),
    ],
    "prompt/completion": [
        ({"prompt": MESSAGES, "completion": [said("assistant", A2)]}, MESSAGES),
        ({"prompt": Q2, "completion": A2}, SINGLE),
        ({"prompt": f"\t{Q2} ", "completion": A2}, [said("user", f"\t{Q2} ")]),
    ],
}
SHOTS = [("Is 3 even?", "no"), ("Is 4 even?", "yes")]


def with_shots(messages):
    system = [m for m in messages if m["role"] == "system"]
    shots = [turn for question, answer in SHOTS for turn in (said("user", question), said("assistant", answer))]
    return [*system, *shots, *messages[len(system) :]]


def without_system(messages):
    if messages[0]["role"] != "system":
        return messages
    if messages[0]["content"] == "":
        return messages[1:]
    first = said("user", messages[0]["content"] + "\n\n" + messages[1]["content"])
    return [first, *messages[2:]]


tokenizer = AutoTokenizer.from_pretrained(FOLDER)


def ids(text):
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def case(name, row, messages):
    tokenizer.chat_template = TEMPLATES[name]
    fit = without_system if name == "without" else lambda turns: turns
    opened = tokenizer.apply_chat_template(fit(messages), tokenize=False, add_generation_prompt=True)

    def whole(answer):
        text = tokenizer.apply_chat_template([*fit(messages), said("assistant", answer)], tokenize=False)
        # The one template whose generation prompt is not the beginning of the conversation: the thought is closed.
        if name == "with an open thought":
            text = opened + CLOSED + answer + END
        assert text.startswith(opened)
        text = text[: text.index(END, len(opened)) + len(END)]
        return ids(text)

    shown = tokenizer.apply_chat_template(fit(with_shots(messages)), tokenize=False, add_generation_prompt=True)
    return {"row": row, "prompt": ids(opened), "few_shot": ids(shown), "answers": {answer: whole(answer) for answer in (A2, A1)}}


expected = {
    "shots": [{"prompt": question, "answer": answer} for question, answer in SHOTS],
    "templates": {
        name: {
            "template": template,
            "shapes": {shape: [case(name, row, messages) for row, messages in rows] for shape, rows in ROWS.items()},
        }
        for name, template in TEMPLATES.items()
    },
}
(HERE / "expected.json").write_text(json.dumps(expected, ensure_ascii=False) + "\n")
(HERE / "provenance.json").write_text(json.dumps({
    "command": "python test/golden/data-tokenizer/shapes/make.py",
    "reads": ["test/golden/data-tokenizer/kinds/byte-level-digits/tokenizer.json"],
    "versions": {"python": platform.python_version(), "tokenizers": tokenizers.__version__, "transformers": transformers.__version__},
    "seed": 0,
}, indent=2) + "\n")
