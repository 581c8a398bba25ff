"""Golden for src/formats/safetensors.ts and half.ts: a file by the format's own writer, and torch's conversions, as float32 bit patterns."""

import json
import pathlib
import sys

import safetensors
import safetensors.torch
import torch

HERE = pathlib.Path(__file__).parent
SEED = 20241001


def bits(tensor):
    """float32 bit patterns as unsigned integers."""
    return [int(v) & 0xFFFFFFFF for v in tensor.to(torch.float32).contiguous().view(torch.int32).flatten()]


def main():
    generator = torch.Generator().manual_seed(SEED)
    special = [0.0, -0.0, 1.0, -1.0, 65504.0, -65504.0, 6.103515625e-05, 6.0975551605224609e-05, 5.9604644775390625e-08, float("inf"), float("-inf")]
    random = torch.randn(7, 5, generator=generator)
    tensors = {
        "b.f32": random,
        "a.f64": torch.randn(3, 2, generator=generator, dtype=torch.float64),
        "c.f16": torch.tensor(special, dtype=torch.float16),
        "d.bf16": (torch.randn(4, 3, generator=generator) * 1000).to(torch.bfloat16),
        "e.i64": torch.arange(6, dtype=torch.int64).reshape(2, 3),
        "f.scalar": torch.tensor(2.5),
        "g.empty": torch.zeros(0, 4),
    }
    safetensors.torch.save_file(tensors, HERE / "mixed.safetensors", metadata={"format": "pt"})
    safetensors.torch.save_file({"w": random, "h": torch.tensor(special[:9]).half()}, HERE / "written.safetensors", metadata={"format": "pt"})

    # Around every kind of rounding: random bit patterns, midpoints between halves, both ends of the range.
    patterns = torch.randint(-(2**31), 2**31 - 1, (600,), generator=generator, dtype=torch.int64).to(torch.int32).view(torch.float32)
    halves = torch.arange(0, 0x7C00, 97, dtype=torch.int32).to(torch.int16).view(torch.float16).float()
    following = (torch.arange(0, 0x7C00, 97, dtype=torch.int32) + 1).to(torch.int16).view(torch.float16).float()
    following = torch.where(torch.isinf(following), torch.tensor(65536.0), following)
    midpoints = (halves + following) / 2
    nudged = torch.cat([torch.nextafter(midpoints, torch.tensor(float("inf"))), torch.nextafter(midpoints, torch.tensor(0.0))])
    edges = torch.tensor([65519.0, 65519.99609375, 65520.0, 65536.0, 2.9802322387695312e-08, 2.9802325940409414e-08, 1e-30, float("inf")])
    values = torch.cat([patterns[~torch.isnan(patterns)], midpoints, nudged, edges])
    values = torch.cat([values, -values])

    expected = {
        "tensors": {n: {"shape": list(t.shape), "float32_bits": bits(t)} for n, t in tensors.items() if t.dtype != torch.int64},
        "to_bfloat16": [int(v) & 0xFFFF for v in values.bfloat16().view(torch.int16)],
        "to_half": {"float32_bits": bits(values), "half_bits": [int(v) & 0xFFFF for v in values.half().view(torch.int16)]},
    }
    (HERE / "expected.json").write_text(json.dumps(expected) + "\n")
    provenance = {
        "command": "python test/golden/formats/safetensors/make.py",
        "versions": {"python": sys.version.split()[0], "torch": torch.__version__, "safetensors": safetensors.__version__},
        "seed": SEED,
    }
    (HERE / "provenance.json").write_text(json.dumps(provenance, indent=2) + "\n")


main()
