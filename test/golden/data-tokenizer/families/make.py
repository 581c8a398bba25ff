"""Makes a small tokenizer of the kind of each model family, with a chat template in the family's markers and our own wording, and what
tokenizers and transformers make of awkward texts and conversations: expected.json.

Run: python test/golden/data-tokenizer/families/make.py   (needs tokenizers, transformers)
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from tokenizer_golden import CORPUS, special, write, write_all
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
BYTES = [f"<0x{b:02X}>" for b in range(256)]

MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}{{ '[INST] ' + m['content'] + '[/INST]' }}"
    "{% elif m['role'] == 'assistant' %}{{ ' ' + m['content'] | trim + eos_token }}"
    "{% else %}{{ raise_exception('Only the user and the assistant speak here') }}{% endif %}{% endfor %}"
)
QWEN2 = (
    "{% for m in messages %}{% if loop.first and m['role'] != 'system' %}{{ '<|im_start|>system\\nAnswer in few words.<|im_end|>\\n' }}{% endif %}"
    "{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
QWEN3 = """{%- for m in messages %}
    {%- set text = m.content %}
    {%- if m.role == "assistant" %}
        {%- if '</think>' in text %}
            {%- set text = text.split('</think>')[-1].lstrip('\\n') %}
        {%- endif %}
        {{- '<|im_start|>assistant\\n<think>\\n\\n</think>\\n\\n' + text + '<|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>' + m.role + '\\n' + text + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}
"""
PHI3 = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>' + '\\n' + m['content'] + '<|end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}"
)
PHI4 = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>' + m['content'] + '<|end|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% else %}{{ eos_token }}{% endif %}"
)
GEMMA2 = (
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('No system turn here') }}{% endif %}"
    "{% for m in messages %}{% set role = 'model' if m['role'] == 'assistant' else m['role'] %}"
    "{{ '<start_of_turn>' + role + '\\n' + m['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"
)


def train(tok, size, first, last=(), alphabet=()):
    tok.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=size, special_tokens=first, show_progress=False, initial_alphabet=list(alphabet)))
    tok.add_special_tokens([token for token in last if token.special])
    tok.add_tokens([token for token in last if not token.special])


def byte_fallback():
    return Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))


def train_words(tok, first, last=()):
    """As SentencePiece trains: no token spans two words, though the finished tokenizer does not split at blanks."""
    finished = tok.pre_tokenizer
    tok.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never", split=True)
    train(tok, 440, first + BYTES, last)
    tok.pre_tokenizer = finished


def with_bos(tok, bos):
    tok.post_processor = processors.TemplateProcessing(single=f"{bos} $A", special_tokens=[(bos, tok.token_to_id(bos))])


def byte_level(pattern, behavior, invert):
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(pattern), behavior, invert), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tok.decoder = decoders.ByteLevel()
    return tok


def mistral():
    tok = byte_fallback()
    tok.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tok.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    train_words(tok, special("<unk>", "<s>", "</s>", "[INST]", "[/INST]"))
    with_bos(tok, "<s>")
    return tok, {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}, MISTRAL, False, ["[/INST]"]


QWEN_PATTERN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN_MARKS = special("<|endoftext|>", "<|im_start|>", "<|im_end|>")


def qwen(*more):
    tok = byte_level(QWEN_PATTERN, "isolated", False)
    tok.normalizer = normalizers.NFC()
    train(tok, 310, [], [*QWEN_MARKS, *more], pre_tokenizers.ByteLevel.alphabet())
    tok.post_processor = processors.ByteLevel(trim_offsets=False)
    return tok, {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}


def qwen2():
    return *qwen(), QWEN2, False, ["<|im_end|>"]


def qwen3():
    thoughts = [AddedToken(name, special=False, normalized=False) for name in ("<think>", "</think>")]
    return *qwen(*thoughts), QWEN3, True, ["<think>"]


def phi3():
    tok = byte_fallback()
    tok.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tok.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    marks = [AddedToken(name, special=True, normalized=False, rstrip=True) for name in ("<|assistant|>", "<|end|>", "<|user|>", "<|system|>")]
    train_words(tok, special("<unk>", "<s>", "</s>"), [*special("<|endoftext|>"), *marks])
    with_bos(tok, "<s>")
    # transformers 5 heeds tokenizer.json's post-processor, not add_bos_token
    names = {"bos_token": "<s>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>", "unk_token": "<unk>", "add_bos_token": False}
    return tok, names, PHI3, False, ["<|end|>", "<|user|>"]


def phi4_mini():
    upper, lower = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}", r"\p{Ll}\p{Lm}\p{Lo}\p{M}"
    short = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    pattern = (rf"[^\r\n\p{{L}}\p{{N}}]?[{upper}]*[{lower}]+{short}|[^\r\n\p{{L}}\p{{N}}]?[{upper}]+[{lower}]*{short}|\p{{N}}{{1,3}}"
               r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
    tok = byte_level(pattern, "removed", True)
    marks = special("<|endoftext|>", "<|end|>", "<|user|>", "<|system|>", "<|assistant|>")
    train(tok, 310, [], marks, pre_tokenizers.ByteLevel.alphabet())
    tok.post_processor = processors.ByteLevel(trim_offsets=False)
    names = {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}
    return tok, names, PHI4, False, ["<|end|>"]


def gemma2():
    tok = byte_fallback()
    tok.normalizer = normalizers.Replace(" ", "▁")
    tok.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tok.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    newlines = [AddedToken(name, special=False, normalized=False) for name in ("\n\n", "<table>")]
    train_words(tok, special("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>"), newlines)
    with_bos(tok, "<bos>")
    names = {"bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>", "unk_token": "<unk>"}
    return tok, names, GEMMA2, False, ["<end_of_turn>", "<table>"]


write_all(HERE, {
    make.__name__.replace("_", "-"): write(HERE, make.__name__.replace("_", "-"), *make())
    for make in (mistral, qwen2, qwen3, phi3, phi4_mini, gemma2)
})
