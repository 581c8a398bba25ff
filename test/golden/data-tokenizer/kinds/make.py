"""Makes three small tokenizers of the kinds that Llama models use, each with a chat template of its own, and what tokenizers and transformers
make of awkward texts and conversations: expected.json.

Run: python test/golden/data-tokenizer/kinds/make.py   (needs tokenizers, transformers)
"""

import json
import pathlib
import platform

import tokenizers
import transformers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

SEED = 0  # nothing is drawn
HERE = pathlib.Path(__file__).parent

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

MARKS = (
    "{% if messages[0]['role'] != 'system' %}{{ '<|start|>system\nBe brief.<|stop|>\n' }}{% endif %}"
    "{% for message in messages %}{{ '<|start|>' + message['role'] + '\n' + message['content'] + '<|stop|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start|>assistant\n' }}{% endif %}"
)
HEADERS = """{{- bos_token }}
{%- if not day is defined %}
    {%- set day = "1 May 2031" %}
{%- endif %}
{%- set state = namespace(turn=0) %}
{#- a comment that leaves no trace #}
{%- for message in messages %}
    {%- set state.turn = state.turn + 1 %}
    {%- if loop.first %}
        {{- "<|start|>system\\n\\nToday: " + day + "\\n\\n<|stop|>" }}
    {%- endif %}
    {{- "<|start|>" + message["role"] + "\\n\\n" + message.content | trim + "<|stop|>" }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- "<|start|>assistant\\n\\n" }}
{%- endif %}
"""
BRACKETS = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Turns must alternate') }}{% endif %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% else %}{{ ' ' + message['content'] + eos_token }}{% endif %}{% endfor %}"
)


def special(*names):
    return [AddedToken(name, special=True, normalized=False) for name in names]


def byte_level_digits():
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]
    )
    tok.decoder = decoders.ByteLevel()
    tok.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=420, special_tokens=special("<|endoftext|>", "<|start|>", "<|stop|>"), show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return tok, {"bos_token": "<|endoftext|>", "eos_token": "<|stop|>", "pad_token": "<|endoftext|>"}, MARKS


def byte_level_pattern():
    tok = Tokenizer(models.BPE(ignore_merges=True))
    pattern = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    tok.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tok.decoder = decoders.ByteLevel()
    tok.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=440, special_tokens=special("<s>", "</s>", "<|start|>", "<|stop|>"), show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tok.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", tok.token_to_id("<s>"))])
    return tok, {"bos_token": "<s>", "eos_token": "</s>"}, HEADERS


def byte_fallback():
    tok = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tok.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tok.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tok.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=520, special_tokens=special("<unk>", "<s>", "</s>") + [f"<0x{b:02X}>" for b in range(256)], show_progress=False))
    tok.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", tok.token_to_id("<s>"))])
    return tok, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}, BRACKETS


def write(name, tok, names, template):
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    raw = json.loads(tok.to_str())
    # The 256 bytes are ordinary tokens of the vocabulary in published files, not added ones.
    raw["added_tokens"] = [t for t in raw["added_tokens"] if not t["content"].startswith("<0x")]
    (folder / "tokenizer.json").write_text(json.dumps(raw, ensure_ascii=False))
    config = {**names, "clean_up_tokenization_spaces": False, "tokenizer_class": "PreTrainedTokenizerFast"}
    if template is HEADERS:
        (folder / "chat_template.jinja").write_text(template)
    else:
        config["chat_template"] = template
    (folder / "tokenizer_config.json").write_text(json.dumps(config))

    tok = Tokenizer.from_str(json.dumps(raw))
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tok, chat_template=template, **names)
    chats = []
    for prompt in PROMPTS:
        user = [{"role": "user", "content": prompt}]
        opened = fast.apply_chat_template(user, tokenize=False, add_generation_prompt=True)
        whole = fast.apply_chat_template([*user, {"role": "assistant", "content": "positive"}], tokenize=False)
        chats.append({"prompt": prompt, "opened": opened, "whole": whole, "ids": fast(opened, add_special_tokens=False)["input_ids"]})
    encoded = [tok.encode(text, add_special_tokens=False).ids for text in TEXTS]
    return {
        "texts": TEXTS,
        "ids": encoded,
        "decoded": [tok.decode(ids, skip_special_tokens=False) for ids in encoded],
        "vocabSize": tok.get_vocab_size(with_added_tokens=True),
        "eosId": fast.eos_token_id,
        "bosId": fast.bos_token_id,
        "leadIds": tok.encode("a").ids[: -len(tok.encode("a", add_special_tokens=False).ids)],
        "chats": chats,
    }


expected = {make.__name__.replace("_", "-"): write(make.__name__.replace("_", "-"), *make())
            for make in (byte_level_digits, byte_level_pattern, byte_fallback)}
(HERE / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n")
(HERE / "provenance.json").write_text(json.dumps({
    "command": "python test/golden/data-tokenizer/kinds/make.py",
    "versions": {"python": platform.python_version(), "tokenizers": tokenizers.__version__, "transformers": transformers.__version__},
    "seed": SEED,
}, indent=2) + "\n")
