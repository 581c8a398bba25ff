"""What tokenizers and transformers make of awkward texts and conversations with small tokenizers; used by the make.py of each case."""

import json
import platform

import tokenizers
import transformers
from tokenizers import AddedToken, Tokenizer

SEED = 0  # nothing is drawn
CORPUS = [
    "The company's operating profit rose to EUR 13.1 mn from EUR 8.7 mn a year earlier .",
    "Net sales fell 12.5 % to 1,204 units; they're not expected to recover before 2031.",
    "Sentiment of the news: negative, neutral or positive?\nAnswer: positive\nAnswer: neutral\nAnswer: negative",
    "$NORV - Norvik cuts its outlook, shares sink https://t.example/AbC123",
    "Übergröße, façade, naïve, coöperate, señor, 東京の株価, Привет мир, καλημέρα",
    "if x > 0:\n\tprint('yes')\nelse:\n\n    print(\"no\")",
] * 4

TEXTS = [
    "",
    " ",
    "a",
    "  two  spaces   three ",
    "tab\tand\nline\r\nbreaks\n\n\n  indented",
    "Operating profit rose to EUR 13.1 mn from EUR 8.7 mn",
    "1234567890 12,345.678 ½ ² Ⅳ",
    "we'll they'RE I'm don't 'S's",
    "$ACME +8.1% — \"buy\" … https://x.example/Zé?q=1&r=2",
    "Zażółć gęślą jaźń — ñandú — ÅÄÖ — İstanbul ßẞ",
    "日本語のテキスト、中文字符。한국어 ไทย العربية עברית हिन्दी",
    "emoji 🚀🔥👩‍👩‍👧‍👦🇫🇮 e\u0301 vs \u00e9 \ufb01 \u200b zero\u00a0nbsp\u3000ideographic",
    "special <s> </s> <|stop|> <|start|>user inside text",
    "trailing newline\n",
    "\n leading newline",
    "CamelCaseAndSNAKE_CASE_42 a.b.c!?!?!",
    "\x00\x01\x7f control",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
]

PROMPTS = [
    "Sentiment?\nNorvik's costs fell .",
    "  padded with blanks  ",
    "{{ not a variable }} {% nor a block %}",
    "Überraschung 🚀\n\n",
]

def special(*names):
    return [AddedToken(name, special=True, normalized=False) for name in names]


def write(here, name, tok, names, template, in_file=False, marks=()):
    """Writes a tokenizer's folder; the template goes into a file of its own or into tokenizer_config.json. `marks` are spelled out in more texts."""
    folder = here / name
    folder.mkdir(exist_ok=True)
    raw = json.loads(tok.to_str())
    # The 256 bytes are ordinary tokens of the vocabulary in published files, not added ones.
    raw["added_tokens"] = [t for t in raw["added_tokens"] if not t["content"].startswith("<0x")]
    (folder / "tokenizer.json").write_text(json.dumps(raw, ensure_ascii=False))
    config = {**names, "clean_up_tokenization_spaces": False, "tokenizer_class": "PreTrainedTokenizerFast"}
    if in_file:
        (folder / "chat_template.jinja").write_text(template)
    else:
        config["chat_template"] = template
    (folder / "tokenizer_config.json").write_text(json.dumps(config))

    tok = Tokenizer.from_str(json.dumps(raw))
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tok, chat_template=template, **names)
    loaded = transformers.PreTrainedTokenizerFast.from_pretrained(folder)
    chats = []
    for prompt in PROMPTS:
        user = [{"role": "user", "content": prompt}]
        opened = fast.apply_chat_template(user, tokenize=False, add_generation_prompt=True)
        whole = fast.apply_chat_template([*user, {"role": "assistant", "content": "positive"}], tokenize=False)
        ids, whole_ids = (fast(text, add_special_tokens=False)["input_ids"] for text in (opened, whole))
        chats.append({"prompt": prompt, "opened": opened, "whole": whole, "ids": ids, "wholeIds": whole_ids})
    texts = TEXTS + [text for mark in marks for text in (f"a {mark} b", f"{mark}\n {mark}  c\n")]
    encoded = [tok.encode(text, add_special_tokens=False).ids for text in texts]
    return {
        "texts": texts,
        "ids": encoded,
        "decoded": [tok.decode(ids, skip_special_tokens=False) for ids in encoded],
        "vocabSize": tok.get_vocab_size(with_added_tokens=True),
        "eosId": fast.eos_token_id,
        "bosId": fast.bos_token_id,
        "leadIds": loaded("a").input_ids[: -len(tok.encode("a", add_special_tokens=False).ids)],
        "chats": chats,
    }


def write_all(here, written):
    """expected.json of the tokenizers written, and provenance.json."""
    (here / "expected.json").write_text(json.dumps(written, ensure_ascii=False, indent=1) + "\n")
    (here / "provenance.json").write_text(json.dumps({
        "command": f"python test/golden/data-tokenizer/{here.name}/make.py",
        "versions": {"python": platform.python_version(), "tokenizers": tokenizers.__version__, "transformers": transformers.__version__},
        "seed": SEED,
    }, indent=2) + "\n")
