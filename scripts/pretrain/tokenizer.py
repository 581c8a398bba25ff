"""Trains the tokenizer: byte-level BPE, 4,096 entries, digits single, on a balanced sample of the prepared documents.

The pre-tokenizer (a split at every digit, then GPT-2's pattern) uses nothing that the JavaScript reader of tokenizer.json lacks: no
possessive groups, no MergedWithPrevious. No token is added automatically; `<|endoftext|>` (0) separates documents and ends answers.

    python tokenizer.py --corpus DIR --out DIR
"""
import argparse
import json
import pathlib
import random

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

VOCAB = 4096
# characters taken per source; generated text carries the tickers, figures and phrases of the target style
SAMPLE = {"fed": 4e6, "sec": 4e6, "openstax": 3e6, "public_domain": 0.8e6, "tinystories": 0.7e6, "generated": 10e6}


def sample(corpus, seed=0):
    rng = random.Random(seed)
    for name, wanted in SAMPLE.items():
        docs = []
        for path in sorted(pathlib.Path(corpus).glob(f"{name}*.jsonl")):
            docs += [json.loads(line)["text"] for line in open(path, encoding="utf-8")]
        rng.shuffle(docs)
        taken = 0
        for d in docs:
            d = d[:6000]
            d = d.replace("<|endoftext|>", "\n\n")
            yield d.lower() if rng.random() < 0.15 else d
            taken += len(d)
            if taken > wanted:
                break


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--corpus", required=True, help="folder of prepare.py and generate.py")
    ap.add_argument("--out", required=True)
    a = ap.parse_args()
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(" ?[0-9]"), "isolated"),  # every digit alone; a blank stays with the digit that follows it
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    tok.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=VOCAB, special_tokens=["<|endoftext|>", "<|pad|>"], show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), min_frequency=3, max_token_length=16)
    tok.train_from_iterator(sample(a.corpus), trainer)
    out = pathlib.Path(a.out)
    out.mkdir(parents=True, exist_ok=True)
    tok.save(str(out / "tokenizer.json"))
    (out / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 4096, "clean_up_tokenization_spaces": False,
        "add_bos_token": False, "add_eos_token": False,
        "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|pad|>",
        "added_tokens_decoder": {str(i): {"content": t, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
                                 for i, t in enumerate(["<|endoftext|>", "<|pad|>"])}}, indent=2) + "\n")
    (out / "special_tokens_map.json").write_text(json.dumps(
        {"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|pad|>"}, indent=2) + "\n")
    (out / "generation_config.json").write_text(json.dumps(
        {"_from_model_config": False, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 1, "do_sample": False, "max_new_tokens": 64}, indent=2) + "\n")
    for text in ("EUR 13.1 mn , up 12.5 % ( from EUR 8.7 mn ) .", "$ACME +8.1% — \"buy\" … https://x.y/Zé\n\n\tgold  \u20ac5 \U0001f680", "don't\r\nI'LL 日本"):
        assert tok.decode(tok.encode(text).ids, skip_special_tokens=False) == text, text
    print(tok.get_vocab_size(), tok.encode("Operating profit rose to EUR 13.1 mn from EUR 8.7 mn in the corresponding period .").tokens)


if __name__ == "__main__":
    main()
