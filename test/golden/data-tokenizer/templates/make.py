"""What transformers makes of conversations under unusual chat templates: expected.json. For each template and conversation its text up to the answer,
and the whole text up to the end of each of three answers, two of which have a thought of their own.

Run: python test/golden/data-tokenizer/templates/make.py   (needs transformers; reads ../kinds/byte-level-digits)
"""

import json
import pathlib
import platform

import jinja2
import transformers
from transformers import AutoTokenizer

HERE = pathlib.Path(__file__).parent
FOLDER = HERE.parent / "kinds" / "byte-level-digits"

TURN = "{{ '<|start|>' + message['role'] + '\\n' + message['content'] + '<|stop|>\\n' }}"
OPEN = "{% if add_generation_prompt %}{{ '<|start|>assistant\\n' }}{% endif %}"
LOOP = "{% for message in messages %}" + TURN + "{% endfor %}" + OPEN
# As Qwen 3 does: earlier answers lose their thoughts, the last answer has one, empty where it was given none.
LAST_THOUGHT = """{%- for message in messages %}
{%- set parts = message.content.split('</think>') %}
{%- if message.role == 'assistant' and loop.last %}
{{- '<|start|>assistant\\n<think>\\n' + (parts[0].split('<think>')[-1].strip('\\n') if parts|length > 1 else '') + '\\n</think>\\n\\n' + parts[-1].lstrip('\\n') + '<|stop|>\\n' }}
{%- elif message.role == 'assistant' %}
{{- '<|start|>assistant\\n' + parts[-1].lstrip('\\n') + '<|stop|>\\n' }}
{%- else %}
{{- '<|start|>' + message.role + '\\n' + message.content + '<|stop|>\\n' }}
{%- endif %}
{%- endfor %}
""" + OPEN
# As the distilled DeepSeek R1 models: a thought is opened for the answer, and a conversation has none.
OPEN_THOUGHT = "{% for message in messages %}{{ '<|start|>' + message['role'] + '\\n' + message['content'].split('</think>')[-1] + '<|stop|>\\n' }}{% endfor %}"
OPEN_THOUGHT += "{% if add_generation_prompt %}{{ '<|start|>assistant\\n<think>\\n' }}{% endif %}"
TEMPLATES = {
    "that asks for tools and documents": "{% if tools is not none or documents is not none %}TOOLS{% endif %}{% if tools is defined %}:{% endif %}" + LOOP,
    "with line ends of Windows": ("{% for message in messages %}\n" + TURN + "\n{% endfor %}\n" + OPEN + "\n").replace("\n", "\r\n"),
    "with marks of what is generated": "{% for message in messages %}{{ '<|start|>' + message.role + '\\n' }}{% generation %}{{ message.content }}{% endgeneration %}"
    "{{ '<|stop|>\\n' }}{% endfor %}" + OPEN,
    "that passes over turns": "{% for message in messages %}{% if message.content == 'Hm.' %}{% continue %}{% endif %}" + TURN + "{% endfor %}" + OPEN,
    "that would tell the day": "{% if strftime_now is defined %}{% set day = strftime_now('%d') %}{% endif %}" + LOOP,
    "that always opens an answer": "{% for message in messages %}" + TURN + "{% endfor %}{% if messages[-1].role != 'assistant' %}{{ '<|start|>assistant\\n' }}{% endif %}",
    "with a thought in the last answer": LAST_THOUGHT,
    "with an open thought": OPEN_THOUGHT,
}


def said(role, content):
    return {"role": role, "content": content}


CONVERSATIONS = [
    [said("user", "Is 12 even?")],
    [said("system", " Be brief.\r\n"), said("user", "Is 12 even? "), said("assistant", "<think>\nHalf is 6.\n</think>\n\nyes"), said("user", "\ufeffAnd <|stop|> 7?\n")],
    [said("system", ""), said("user", "Hm."), said("user", "And 7?")],
]
ANSWERS = ["no", "<think>\nHalf is 3.5.\n</think>\n\nno", "<think>Half is 3.5.</think>no"]
END = "<|stop|>"


def whole(tokenizer, name, messages, answer, opened):
    text = tokenizer.apply_chat_template([*messages, said("assistant", answer)], tokenize=False)
    if name == "with an open thought":
        # The template leaves every thought out of a conversation; an answer goes on in the thought that was opened for it.
        text = opened + ("\n</think>\n\n" + answer if "<think>" not in answer else answer.removeprefix("<think>").removeprefix("\n")) + END
    assert text.startswith(opened)
    return text[: text.index(END, len(opened))]


tokenizer = AutoTokenizer.from_pretrained(FOLDER)
expected = {}
for name, template in TEMPLATES.items():
    tokenizer.chat_template = template
    cases = []
    for messages in CONVERSATIONS:
        opened = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        cases.append({"messages": messages, "opened": opened, "answers": {answer: whole(tokenizer, name, messages, answer, opened) for answer in ANSWERS}})
    expected[name] = {"template": template, "cases": cases}
(HERE / "expected.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n")
(HERE / "provenance.json").write_text(json.dumps({
    "command": "python test/golden/data-tokenizer/templates/make.py",
    "reads": ["test/golden/data-tokenizer/kinds/byte-level-digits/tokenizer.json"],
    "versions": {"python": platform.python_version(), "jinja2": jinja2.__version__, "transformers": transformers.__version__},
    "seed": 0,
}, indent=2) + "\n")
