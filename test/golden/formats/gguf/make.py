"""Golden for src/formats/gguf.ts: a file by the gguf package with a value and a tensor of every kind that we write, and what its blocks stand for.

Needs `gguf` (scripts/ci/requirements.txt).
"""

import importlib.metadata
import json
import pathlib
import sys

import gguf
import numpy as np

HERE = pathlib.Path(__file__).parent
SEED = 20261123


def bits(array):
    return [int(v) for v in np.ascontiguousarray(array, np.float32).view(np.uint32).ravel()]


def main():
    rng = np.random.default_rng(SEED)
    # blocks of every size, one of zeros, one with halves on the grid (ties), one with tiny numbers, ends of the int8 range
    wide = rng.standard_normal((6, 64)).astype(np.float32) * np.logspace(-6, 3, 6, dtype=np.float32)[:, None]
    ties = np.arange(-32, 32, dtype=np.float32).reshape(1, 64) * np.float32(0.5)
    ties[0, 0], ties[0, 32] = -127.0, 127.0
    blocks = np.concatenate([wide, ties, np.zeros((1, 64), np.float32), np.full((1, 64), 1e-9, np.float32)])
    plain = rng.standard_normal((3, 5)).astype(np.float32)
    norm = rng.standard_normal(7).astype(np.float32)

    path = HERE / "written.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_string("general.name", "made up ▁Ġ")
    writer.add_uint32("llama.block_count", 3)
    writer.add_int32("a.negative", -5)
    writer.add_float32("llama.rope.freq_base", 10000.5)
    writer.add_bool("tokenizer.ggml.add_bos_token", True)
    writer.add_uint64("a.large", 2**40)
    writer.add_array("tokenizer.ggml.tokens", ["<s>", "", "é", "a b"])
    writer.add_array("tokenizer.ggml.token_type", [3, 1, 1, 4])
    writer.add_array("tokenizer.ggml.scores", [0.0, -1.5, -2.0, -1000000.0])
    writer.add_tensor("plain.weight", plain)
    writer.add_tensor("norm.weight", norm)
    writer.add_tensor("half.weight", plain.astype(np.float16))
    quantized = gguf.quantize(blocks, gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor("blocks.weight", quantized, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    tensors = {
        "plain.weight": {"type": "f32", "shape": [3, 5], "given": bits(plain), "read": bits(plain)},
        "norm.weight": {"type": "f32", "shape": [7], "given": bits(norm), "read": bits(norm)},
        "half.weight": {"type": "f16", "shape": [3, 5], "given": bits(plain), "read": bits(plain.astype(np.float16))},
        "blocks.weight": {
            "type": "q8_0",
            "shape": list(blocks.shape),
            "given": bits(blocks),
            "read": bits(gguf.dequantize(quantized, gguf.GGMLQuantizationType.Q8_0)),
        },
    }
    (HERE / "expected.json").write_text(json.dumps({"tensors": tensors}) + "\n")
    provenance = {
        "command": "python test/golden/formats/gguf/make.py",
        "versions": {"python": sys.version.split()[0], "gguf": importlib.metadata.version("gguf"), "numpy": np.__version__},
        "seed": SEED,
    }
    (HERE / "provenance.json").write_text(json.dumps(provenance, indent=2) + "\n")


main()
