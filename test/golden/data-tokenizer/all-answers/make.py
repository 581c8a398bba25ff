"""Which tokens of a conversation are an assistant's, as transformers marks them (return_assistant_tokens_mask): the templates of ../kinds and
../families with `generation` put around what an assistant writes, by hand: expected.json.

Run: python test/golden/data-tokenizer/all-answers/make.py   (needs transformers)
"""

import json
import pathlib
import platform

import tokenizers
import transformers
from transformers import AutoTokenizer

HERE = pathlib.Path(__file__).parent


def chat_ml(start, role, stop, head=""):
    """Turns between two tokens, an assistant's up to the second one marked."""
    opened = "'" + start + "' + " + role + " + '" + "\\n" + "'"
    return (
        head + "{% for m in messages %}{% if m['role'] == 'assistant' %}{{ " + opened + " }}"
        "{% generation %}{{ m['content'] + '" + stop + "' }}{% endgeneration %}{{ '\\n' }}"
        "{% else %}{{ " + opened + " + m['content'] + '" + stop + "' + '\\n' }}{% endif %}{% endfor %}"
    )


BRACKETS = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}{{ '[INST] ' + m['content'] + '@[/INST]' }}"
    "{% else %}{% generation %}{{ ' ' + m['content'] + eos_token }}{% endgeneration %}{% endif %}{% endfor %}"
)
MARKED = {
    "kinds/byte-fallback": BRACKETS.replace("@", " "),
    "kinds/byte-level-digits": chat_ml("<|start|>", "m['role']", "<|stop|>", "{{ '<|start|>system\\nBe brief.<|stop|>\\n' }}"),
    "families/mistral": BRACKETS.replace("@", ""),
    "families/qwen2": chat_ml(
        "<|im_start|>", "m['role']", "<|im_end|>", "{{ '<|im_start|>system\\nAnswer in few words.<|im_end|>\\n' }}"
    ),
    "families/qwen3": chat_ml("<|im_start|>", "m['role']", "<|im_end|>").replace(
        "{% generation %}{{ ", "{% generation %}{{ '<think>\\n\\n</think>\\n\\n' + "
    ),
    "families/gemma2": chat_ml("<start_of_turn>", "('model' if m['role'] == 'assistant' else 'user')", "<end_of_turn>", "{{ bos_token }}"),
}


def turn(role, content):
    return {"role": role, "content": content}


CONVERSATION = [
    turn("user", "What is a bond?"),
    turn("assistant", "A loan that is traded."),
    turn("user", "And 3 shares?\nSay it <briefly>."),
    turn("assistant", "Parts of a firm, 3 of them.\n\nNo more."),
    turn("user", "Why?"),
    turn("assistant", "They are sold."),
]

expected = {}
for name, marked in MARKED.items():
    tokenizer = AutoTokenizer.from_pretrained(HERE.parent / name)
    plain = tokenizer.apply_chat_template(CONVERSATION, tokenize=False)
    text = tokenizer.apply_chat_template(CONVERSATION, tokenize=False, chat_template=marked)
    assert text == plain, (name, text, plain)
    out = tokenizer.apply_chat_template(
        CONVERSATION, chat_template=marked, return_dict=True, return_assistant_tokens_mask=True
    )
    expected[name] = {"ids": out["input_ids"], "mask": out["assistant_masks"]}
(HERE / "expected.json").write_text(json.dumps({"messages": CONVERSATION, "cases": expected}, indent=1) + "\n")
(HERE / "provenance.json").write_text(json.dumps({
    "command": "python test/golden/data-tokenizer/all-answers/make.py",
    "versions": {"python": platform.python_version(), "tokenizers": tokenizers.__version__, "transformers": transformers.__version__},
    "seed": 0,
}, indent=2) + "\n")
