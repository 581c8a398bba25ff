"""What transformers' tokenizers make of every part of a tokenizer.json that mixtune reads: flags of added tokens, normalizers, pre-tokenizers,
models, post-processors and decoders. Each case is one of ../kinds with changes; src/data/tokens/features.test.ts makes the same ones.

Run: python test/golden/data-tokenizer/features/make.py
"""

import json
import os
import pathlib
import platform
import shutil
import tempfile

import tokenizers
import transformers

HERE = pathlib.Path(__file__).resolve().parent
KINDS = HERE.parent / "kinds"
BYTES, DIGITS, PIECES = "byte-level-pattern", "byte-level-digits", "byte-fallback"

TEXTS = [
    "a <m> b", "<m><m> <m>", "  <m>  \n<m>x", "x<m>y", "x <m>-y", "\t<m>\u0085\ufeff<m>", "<m>", "é<m>ß <m>_ <m>",
    "<<m>m>", "<m", "<m>\u00a0\u3000 tail", " \ufeffword\u0085 next\ufeff", "½²³ ½ a½ Ⅳ٣٤ 12 345", "Σίσυφος İstanbul ﬁ e\u0301",
    "two  blanks   three\n\n x", "$& $1 it's \u2581x \u2581 y", "日本 🚀", "1,204 units; they're at 13.1 %", "a\u200d<m> <m>\u200d ﬁ fi",
]  # fmt: skip


def mark(content="<m>", **flags):
    return {"content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False, **flags}


def split(pattern, behavior="Isolated", invert=False):
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


def replace(pattern, content):
    return {"type": "Replace", "pattern": pattern, "content": content}


BYTE_STEP = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
GPT2_STEP = {**BYTE_STEP, "use_regex": True}
UNDERSCORE = replace({"String": " "}, "▁")


def steps(*members):
    return {"type": "Sequence", "pretokenizers": list(members)}


def norms(*members):
    return {"type": "Sequence", "normalizers": list(members)}


def spaces(**options):
    return {"type": "Metaspace", "replacement": "▁", **options}


def template(*ids):
    specials = {f"t{i}": {"id": f"t{i}", "ids": [i], "tokens": [f"t{i}"]} for i in ids}
    single = [{"SpecialToken": {"id": f"t{i}", "type_id": 0}} for i in ids] + [{"Sequence": {"id": "A", "type_id": 0}}]
    return {"type": "TemplateProcessing", "single": single, "pair": single, "special_tokens": specials}


FLAGS = ["single_word", "lstrip", "rstrip", "normalized", "special"]
# name: kind, added tokens, parts of tokenizer.json, keys of its model, tokenizer_config.json
CASES = {f"{base}, {name}": (base, [mark(**flags)], {}, {}, {}) for base in (BYTES, PIECES) for name, flags in {
    "no flag": {}, **{flag: {flag: True} for flag in FLAGS}, "lstrip and rstrip": {"lstrip": True, "rstrip": True},
    "single_word, lstrip and rstrip": {"single_word": True, "lstrip": True, "rstrip": True},
    "normalized and rstrip": {"normalized": True, "rstrip": True},
}.items()}  # fmt: skip
CASES |= {
    "longest of several tokens": (BYTES, [mark(), mark("<m>x"), mark("<"), mark("m>y", single_word=True)], {}, {}, {}),
    "white space as a token beside rstrip": (BYTES, [mark(rstrip=True), mark("  "), mark("\n")], {}, {}, {}),
    "a token of the vocabulary": (BYTES, [mark("an")], {}, {}, {}),
    "a normalized token under NFKC": (BYTES, [mark("ﬁ", normalized=True)], {"normalizer": {"type": "NFKC"}}, {}, {}),
    "a normalized token under Prepend": (PIECES, [mark(normalized=True)], {"normalizer": norms({"type": "Prepend", "prepend": "▁"}, UNDERSCORE), "pre_tokenizer": None}, {}, {}),
    "flags of tokenizer_config.json": (BYTES, [mark()], {}, {}, {"added_tokens_decoder": {"ID": mark(rstrip=True, lstrip=True)}}),
    "a token of tokenizer_config.json": (BYTES, [], {}, {}, {"added_tokens_decoder": {"ID": mark()}}),
    "a pad token of tokenizer_config.json": (BYTES, [], {}, {}, {"pad_token": "<m>"}),
    "a mask token of tokenizer_config.json": (BYTES, [], {}, {}, {"mask_token": "<m>"}),
    "a token without a text": (BYTES, [mark("")], {}, {}, {}),
    "an extra token of tokenizer_config.json": (BYTES, [], {}, {}, {"extra_special_tokens": ["<m>"]}),
    **{name: (BYTES, [], {"normalizer": {"type": name}}, {}, {}) for name in ("NFC", "NFD", "NFKC", "NFKD")},
    "a literal replaced": (BYTES, [], {"normalizer": norms(replace({"String": "."}, "$&"), {"type": "NFC"})}, {}, {}),
    "a pattern replaced": (BYTES, [], {"normalizer": replace({"Regex": "\\s+|(x)"}, " $1")}, {}, {}),
    "GPT-2's cut": (DIGITS, [], {"pre_tokenizer": GPT2_STEP}, {}, {}),
    "GPT-2's cut behind a blank": (DIGITS, [mark()], {"pre_tokenizer": {**GPT2_STEP, "add_prefix_space": True}}, {}, {}),
    "bytes behind a blank": (DIGITS, [mark()], {"pre_tokenizer": {**BYTE_STEP, "add_prefix_space": True}}, {}, {}),
    "digits one by one": (DIGITS, [], {"pre_tokenizer": steps({"type": "Digits", "individual_digits": True}, GPT2_STEP)}, {}, {}),
    "digits together": (DIGITS, [], {"pre_tokenizer": steps({"type": "Digits", "individual_digits": False}, GPT2_STEP)}, {}, {}),
    "digits together, with tokens of several": (BYTES, [], {"pre_tokenizer": steps({"type": "Digits", "individual_digits": False}, GPT2_STEP)}, {}, {}),
    "a literal cut out": (DIGITS, [], {"pre_tokenizer": steps(split({"String": "."}), BYTE_STEP)}, {}, {}),
    "a literal cut away": (DIGITS, [], {"pre_tokenizer": steps(split({"String": " "}, "Removed"), BYTE_STEP)}, {}, {}),
    "a pattern cut away": (DIGITS, [], {"pre_tokenizer": steps(split({"Regex": "\\s+"}, "Removed"), BYTE_STEP)}, {}, {}),
    "all but a pattern cut away": (DIGITS, [], {"pre_tokenizer": steps(split({"Regex": "\\w+|[^\\w\\s]+"}, "Removed", True), BYTE_STEP)}, {}, {}),
    "cut out, inverted": (DIGITS, [], {"pre_tokenizer": steps(split({"Regex": "\\p{L}+"}, "Isolated", True), BYTE_STEP)}, {}, {}),
    **{f"blanks {scheme}, cut {cut}": (PIECES, [mark()], {"normalizer": None, "pre_tokenizer": spaces(prepend_scheme=scheme, split=cut)}, {}, {}) for scheme in ("always", "first", "never") for cut in (True, False)},
    "blanks, nothing said": (PIECES, [mark()], {"normalizer": None, "pre_tokenizer": spaces()}, {}, {}),
    "blanks first, with a normalized token": (PIECES, [mark(normalized=True)], {"normalizer": None, "pre_tokenizer": spaces(prepend_scheme="first", split=False)}, {}, {}),
    "no bytes to fall back on": (PIECES, [], {}, {"byte_fallback": False}, {}),
    "no bytes, unknown ones fused": (PIECES, [], {}, {"byte_fallback": False, "fuse_unk": True}, {}),
    "no bytes, unknown ones fused in cut pieces": (PIECES, [], {"normalizer": None, "pre_tokenizer": spaces()}, {"byte_fallback": False, "fuse_unk": True}, {}),
    "no bytes, and nothing for what is unknown": (PIECES, [], {}, {"byte_fallback": False, "unk_token": None}, {}),
    "bytes without a token, and nothing for what is unknown": (BYTES, [], {}, {"unk_token": None, "ignore_merges": False, "lacks": ["<", "ð", ".", "n", "Ń"]}, {}),
    "merges ignored": (BYTES, [], {}, {"ignore_merges": True}, {}),
    "a lead of two": (BYTES, [], {"post_processor": template(5, 3)}, {}, {}),
    "a lead behind a step for bytes": (BYTES, [], {"post_processor": {"type": "Sequence", "processors": [{"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}, template(7)]}}, {}, {}),
    "Bert's lead": (BYTES, [], {"post_processor": {"type": "BertProcessing", "sep": ["a", 9], "cls": ["b", 6]}}, {}, {}),
    "Roberta's lead": (BYTES, [], {"post_processor": {"type": "RobertaProcessing", "sep": ["a", 9], "cls": ["b", 6], "trim_offsets": True, "add_prefix_space": True}}, {}, {}),
    "no decoder": (PIECES, [mark()], {"decoder": None}, {}, {}),
    **{f"blanks decoded, {scheme}": (PIECES, [mark()], {"decoder": spaces(prepend_scheme=scheme)}, {}, {}) for scheme in ("always", "first", "never")},
    "decoded, two blanks taken": (PIECES, [], {"decoder": {"type": "Sequence", "decoders": [UNDERSCORE | {"pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 2, "stop": 0}]}}, {}, {}),
    "decoded bytes with a token of Latin letters": (BYTES, [mark("<é>")], {}, {}, {}),
}  # fmt: skip


def rename(model, lacks):
    """Tokens get a name that no text gives, so that ids stay; merges that are left without a part go."""
    vocab = model["vocab"]
    for token in lacks:
        vocab[f"no {token}"] = vocab.pop(token)
    while True:
        kept = [pair for pair in model["merges"] if all(part in vocab for part in [*pair, "".join(pair)])]
        gone = {"".join(pair) for pair in model["merges"] if pair not in kept} & vocab.keys()
        model["merges"] = kept
        if not gone:
            return
        for token in gone:
            vocab[f"no {token}"] = vocab.pop(token)


def made(kind, added, parts, model, config):
    """tokenizer.json and tokenizer_config.json; ID stands for the next id."""
    tok = json.loads((KINDS / kind / "tokenizer.json").read_text()) | parts
    tok["model"] |= {key: value for key, value in model.items() if key != "lacks"}
    rename(tok["model"], model.get("lacks", []))
    vocab, taken = tok["model"]["vocab"], [token["id"] for token in tok["added_tokens"]]
    for token in added:
        token = {"id": vocab.get(token["content"], max([len(vocab) - 1, *taken]) + 1), **token}
        taken.append(token["id"])
        tok["added_tokens"].append(token)
    own = json.loads((KINDS / kind / "tokenizer_config.json").read_text())
    next_id = str(max([len(vocab) - 1, *taken]) + (0 if added else 1))
    return tok, own | json.loads(json.dumps(config).replace('"ID"', f'"{next_id}"'))


def asked(case):
    tok, config = made(*case)
    folder = tempfile.mkdtemp()
    for name, content in (("tokenizer.json", tok), ("tokenizer_config.json", config)):
        with open(os.path.join(folder, name), "w") as f:
            json.dump(content, f)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    shutil.rmtree(folder)
    backend = tokenizer.backend_tokenizer
    ids = [tokenizer(text, add_special_tokens=False).input_ids for text in TEXTS]
    size = backend.get_vocab_size(with_added_tokens=True)
    # ids in an order that no text gives: bytes that are no text, ids without a token
    odd = [[(7 * i + k) % (size + 5) for i in range(12)] for k in range(6)]
    # Bytes that are no character, alone, behind one and between two.
    broken = [["<0xE2>", "<0x82>", "a"], ["<0xF0>", "<0x9F>", "<0x98>", "<0x80>", "<0xE2>"], ["<0x0A>", "<0xFF>", "a", "<0xE2>", "<0x82>", "<0xAC>"]]
    odd += [own for tokens in broken if None not in (own := [backend.token_to_id(token) for token in tokens])]
    plain, dressed = tokenizer("a", add_special_tokens=False).input_ids, tokenizer("a").input_ids
    return {
        "ids": ids,
        "decoded": [backend.decode(list_, skip_special_tokens=False) for list_ in ids],
        "odd": odd,
        "oddDecoded": [backend.decode(list_, skip_special_tokens=False) for list_ in odd],
        "lead": dressed[: dressed.index(plain[0])] if plain else [],
    }


names = ["kind", "added", "parts", "model", "config"]
expected = {"texts": TEXTS, "cases": {name: {**dict(zip(names, case)), **asked(case)} for name, case in CASES.items()}}
(HERE / "expected.json").write_text(json.dumps(expected, ensure_ascii=False) + "\n")
(HERE / "provenance.json").write_text(json.dumps({
    "command": "python test/golden/data-tokenizer/features/make.py",
    "versions": {"python": platform.python_version(), "tokenizers": tokenizers.__version__, "transformers": transformers.__version__},
    "seed": 0,
    "reads": [f"test/golden/data-tokenizer/kinds/{kind}/{file}" for kind in (BYTES, DIGITS, PIECES) for file in ("tokenizer.json", "tokenizer_config.json")],
}, indent=2) + "\n")
