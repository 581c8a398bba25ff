"""Parquet files by pyarrow, in every compression, encoding and nesting that datasets come in, and the rows that are in them."""

import json
import os

import pyarrow
import pyarrow as pa
import pyarrow.parquet as pq

HERE = os.path.dirname(os.path.abspath(__file__))
NUM_ROWS = 7

table = pa.table(
    {
        "text": pa.array(["alpha", None, "Zinssätze – 5 €", "", "line\nbreak", "alpha", "日本"]),
        "label": pa.array([0, 1, 2, None, -1, 2, 1], pa.int64()),
        "small": pa.array([0, 1, 2, 3, 4, 5, 6], pa.int32()),
        "big": pa.array([2**60 + 1, 0, -(2**60) - 1, 2**53 - 1, None, 1, 2], pa.int64()),
        "score": pa.array([0.5, -1.25, 1e300, None, 0.0, 3.0, 1 / 3], pa.float64()),
        "half": pa.array([0.5, 1.5, -2.0, 0.25, None, 4.0, 8.0], pa.float32()),
        "flag": pa.array([True, False, None, True, True, False, False]),
        "options": pa.array([["a", "b"], [], None, ["c", None], ["d"], ["e", "f", "g"], [""]], pa.list_(pa.string())),
        "turns": pa.array(
            [
                [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "hello"}],
                [],
                None,
                [{"from": "human", "value": None}],
                [{"from": "a", "value": "1"}],
                [{"from": "b", "value": "2"}],
                [{"from": "c", "value": "3"}, {"from": "d", "value": "4"}],
            ],
            pa.list_(pa.struct([("from", pa.string()), ("value", pa.string())])),
        ),
        "info": pa.array(
            [{"page": 1, "name": "x"}, {"page": None, "name": None}, None, {"page": 4, "name": "y"}]
            + [{"page": i, "name": "z"} for i in range(3)],
            pa.struct([("page", pa.int32()), ("name", pa.string())]),
        ),
        "table": pa.array([[["a", "b"], ["c"]], [[]], [], None, [["d"]], [["e", "f"]], [["g"], []]], pa.list_(pa.list_(pa.string()))),
        "day": pa.array([0, 1, 19000, None, 18000, 1, 0], pa.date32()),
        "when": pa.array([0, 1, 1_600_000_000_123, None, 5, 6, 7], pa.timestamp("ms")),
    }
)


def plain(value):
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return value


files = {}
for codec in ["none", "snappy", "gzip", "zstd", "brotli", "lz4"]:
    files[f"{codec}.parquet"] = dict(compression=codec, row_group_size=3)
files["v2.parquet"] = dict(compression="zstd", data_page_version="2.0", row_group_size=4)
files["plain.parquet"] = dict(compression="snappy", use_dictionary=False)
files["delta.parquet"] = dict(
    compression="none",
    use_dictionary=False,
    column_encoding={"text": "DELTA_BYTE_ARRAY", "label": "DELTA_BINARY_PACKED", "small": "DELTA_BINARY_PACKED"},
)
for name, options in files.items():
    pq.write_table(table, os.path.join(HERE, name), **options)
pq.write_table(table.slice(0, 0), os.path.join(HERE, "empty.parquet"))
# A column that claims to be text and is not.
binary = pa.table({"text": pa.array([b"fine", b"\xff\xfe bad"], pa.binary())})
pq.write_table(binary, os.path.join(HERE, "not-utf8.parquet"), compression="none")

# Classes by their numbers, with their names in the footer as datasets writes them; texts that are not UTF-8 beside good ones.
features = {"label": {"_type": "ClassLabel", "names": ["neg", "pos"]}, "text": {"_type": "Value", "dtype": "string"}}
classes = pa.table({"text": ["a", "b", "c", "d"], "label": pa.array([1, 0, None, -1], pa.int64())})
pq.write_table(
    classes.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})}),
    os.path.join(HERE, "classes.parquet"),
)
offsets = pa.py_buffer(bytes([0, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0]))
bad = pa.StringArray.from_buffers(2, offsets, pa.py_buffer(b"x\xff\xfe"))
pq.write_table(pa.table({"text": ["fine", "too"], "note": bad}), os.path.join(HERE, "bad-text.parquet"))

# One run of so many equal values that its length takes three bytes, for a test that makes the length a lie.
pq.write_table(pa.table({"flag": [1] * 20_000}), os.path.join(HERE, "one-run.parquet"), compression="none")
# Rows of a task, for tests of the command.
tickets = pa.table(
    {
        "text": [f"customer number {i} writes about matter {i * 7}" for i in range(60)],
        "team": [["loans", "cards"][i % 2] for i in range(60)],
    }
)
pq.write_table(tickets, os.path.join(HERE, "tickets.parquet"), row_group_size=25)

with open(os.path.join(HERE, "expected.json"), "w") as file:
    json.dump({"files": sorted(files), "rows": plain(table.to_pylist())}, file, indent=1, ensure_ascii=False)
    file.write("\n")
with open(os.path.join(HERE, "provenance.json"), "w") as file:
    json.dump(
        {
            "command": "python test/golden/formats/parquet/make.py",
            "versions": {"python": os.sys.version.split()[0], "pyarrow": pyarrow.__version__},
            "seed": None,
        },
        file,
        indent=2,
    )
    file.write("\n")
