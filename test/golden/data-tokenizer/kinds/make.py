"""Makes three small tokenizers of the kinds that Llama models use, each with a chat template of its own, and what tokenizers and transformers
make of awkward texts and conversations: expected.json.

Run: python test/golden/data-tokenizer/kinds/make.py   (needs tokenizers, transformers)
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from tokenizer_golden import CORPUS, special, write, write_all
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent

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
    return tok, {"bos_token": "<s>", "eos_token": "</s>"}, HEADERS, True


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


write_all(HERE, {
    make.__name__.replace("_", "-"): write(HERE, make.__name__.replace("_", "-"), *make())
    for make in (byte_level_digits, byte_level_pattern, byte_fallback)
})
