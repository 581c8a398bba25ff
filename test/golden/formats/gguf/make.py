"""Golden for src/formats/gguf.ts: a file by the gguf package with a value and a tensor of every kind that we write, and what its blocks stand for;
and blocks of every type that we read. Those of types that the package cannot write are random bytes with scales put in their places.

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


# types that are read and not written, with the places of their float16 scales in a block
READ = {
    "bf16": None,
    "q4_0": [0],
    "q4_1": [0, 2],
    "q5_0": [0],
    "q5_1": [0, 2],
    "q2_K": [80, 82],
    "q3_K": [108],
    "q4_K": [0, 2],
    "q5_K": [0, 2],
    "q6_K": [208],
    "iq4_nl": [0],
}
# ordinary, negative, the smallest subnormal, the largest subnormal, the largest, zero, minus zero
SCALES = np.array([0.0173, -2.5, 2**-24, 1023 * 2**-24, 65504.0, 0.0, -0.0], np.float16)


def read_type(rng, name):
    kind = gguf.GGMLQuantizationType[name.upper() if name[-1] != "K" else name.upper()[:-1] + "K"]
    size, width = gguf.GGML_QUANT_SIZES[kind]
    count = 24 if name == "bf16" else len(SCALES)
    data = rng.integers(0, 256, (count, width), dtype=np.uint8)
    if name == "bf16":
        data[:, 1] = data[:, 1] & 0xBF  # no NaN, no infinity
    for place in READ[name] or []:
        data[:, place : place + 2] = rng.permutation(SCALES).view(np.uint8).reshape(-1, 2)
    numbers = gguf.dequantize(data, kind)
    return {"block": size, "bytes": data.tobytes().hex(), "read": np.ascontiguousarray(numbers, np.float32).tobytes().hex()}


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
    (HERE / "blocks.json").write_text(json.dumps({name: read_type(rng, name) for name in READ}) + "\n")
    provenance = {
        "command": "python test/golden/formats/gguf/make.py",
        "versions": {"python": sys.version.split()[0], "gguf": importlib.metadata.version("gguf"), "numpy": np.__version__},
        "seed": SEED,
    }
    (HERE / "provenance.json").write_text(json.dumps(provenance, indent=2) + "\n")


main()
