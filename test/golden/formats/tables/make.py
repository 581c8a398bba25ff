"""
500 random tables of every scalar type, each as JSON Lines, CSV, TSV and Parquet: 2,000 files in tables.zip, half of the tables written by pyarrow
(and Python's json, as pyarrow writes none), half by pandas. Beside each file stands the text of every value, as Python reads it back:

* JSON Lines: the literals of numbers, by json's hooks
* CSV and TSV: the cells, by csv.reader
And 12 wide Parquet files (wide-*.parquet), one of each codec and page version: a column of every type with all values, some and none, and lists,
structs and maps of it.

* Parquet: pyarrow's values by str, repr, isoformat; Decimal with all digits; floats by the shortest form of their width (numpy); bytes in hex
"""

import csv
import datetime as dt
import decimal
import io
import json
import os
import random
import sys
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

HERE = os.path.dirname(os.path.abspath(__file__))
NUM_TABLES = 500
rng = random.Random(16)
decimal.getcontext().prec = 80

WORDS = ["", " ", "plain", 'a "quoted" word', "comma, and\ttab", "two\nlines", "Zinssätze – 5 €", "日本 😀", "e\u0301", "1.0", "007", "null", "NaN"]
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "+05:30", "-03:00", "Asia/Kathmandu"]


def integer(low, high):
    """Small, at the ends, or anywhere."""
    pick = rng.random()
    if pick < 0.3:
        return max(low, min(high, rng.randint(-3, 20)))
    if pick < 0.5:
        return rng.choice([low, high, low + 1, high - 1])
    return rng.randint(low, high)


def real():
    pick = rng.random()
    if pick < 0.3:
        return float(rng.randint(-20, 20))
    if pick < 0.5:
        return round(rng.uniform(-1000, 1000), rng.randint(1, 3))
    if pick < 0.6:
        return rng.choice([-0.0, 1e16, 1e15, 123456789012345680.0, 1e-4, 1e-5, 1.5e-7, 1e22, 2.0**53, 0.1 + 0.2, 5e-324, 1.7976931348623157e308])
    return rng.uniform(-1, 1) * 10.0 ** rng.randint(-12, 20)


def digits(precision, scale):
    number = integer(-(10**precision) + 1, 10**precision - 1)
    return decimal.Decimal(number).scaleb(-scale)


def moment(unit):
    """Units since 1970, in the years 1920 to 2100; half of them whole seconds."""
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    seconds = rng.choice([0, rng.randint(-1577923200, 4102444800), 86400 * rng.randint(-18000, 47000)])
    return seconds * per_second + (0 if rng.random() < 0.5 else rng.randrange(per_second))


def span(unit):
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    return rng.choice([0, 86400 * per_second, -1, integer(-(10**6), 10**6) * per_second, rng.randint(-(10**9), 10**9)])


def of_day(unit):
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    return rng.randrange(86400) * per_second + (0 if rng.random() < 0.5 else rng.randrange(per_second))


def blob():
    return bytes(rng.choice([0x41, 0x80, 0xFF, 0x00]) for _ in range(rng.randint(0, 4))) + b"\xff"


def arrow_types():
    """One random column of every type that Parquet holds, as (type, values to draw)."""
    types = [(pa.null(), lambda: None), (pa.bool_(), lambda: rng.random() < 0.5)]
    for bits in (8, 16, 32, 64):
        types.append((getattr(pa, f"int{bits}")(), lambda b=bits: integer(-(2 ** (b - 1)), 2 ** (b - 1) - 1)))
        types.append((getattr(pa, f"uint{bits}")(), lambda b=bits: integer(0, 2**b - 1)))
    types.append((pa.float16(), lambda: np.float16(np.clip(real(), -60000, 60000))))
    types.append((pa.float32(), lambda: np.float32(np.clip(real(), -3e38, 3e38)).item()))
    types.append((pa.float64(), real))
    for make, most in ((pa.decimal32, 9), (pa.decimal64, 18), (pa.decimal128, 38), (pa.decimal256, 60)):
        precision = rng.randint(1, most)
        scale = rng.randint(0, precision)
        types.append((make(precision, scale), lambda p=precision, s=scale: digits(p, s)))
    types.append((pa.date32(), lambda: dt.date(1970, 1, 1) + dt.timedelta(days=rng.randint(-20000, 50000))))
    types.append((pa.date64(), lambda: dt.date(1970, 1, 1) + dt.timedelta(days=rng.randint(-20000, 50000))))
    types += [(pa.time32(u), lambda u=u: of_day(u)) for u in ("s", "ms")]
    types += [(pa.time64(u), lambda u=u: of_day(u)) for u in ("us", "ns")]
    for unit in ("s", "ms", "us", "ns"):
        types.append((pa.timestamp(unit), lambda u=unit: moment(u)))
        types.append((pa.timestamp(unit, rng.choice(ZONES)), lambda u=unit: moment(u)))
        types.append((pa.duration(unit), lambda u=unit: span(u)))
    types += [(kind, lambda: rng.choice(WORDS)) for kind in (pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string()))]
    types += [(kind, blob) for kind in (pa.binary(), pa.large_binary())]
    types.append((pa.binary(3), lambda: bytes([0xFF, rng.randrange(256), rng.randrange(256)])))
    return types


def arrow_table():
    num_rows = rng.randint(1, 4)
    columns = {"n": pa.array(range(num_rows), pa.int64())}
    for type_, draw in rng.sample(arrow_types(), rng.randint(3, 8)):
        values = [None if rng.random() < 0.2 else draw() for _ in range(num_rows)]
        columns[f"{type_}"] = pa.array(values, type_) if not pa.types.is_dictionary(type_) else pa.array(values, pa.string()).dictionary_encode()
    return pa.table(columns)


def float_text(value, width=np.float64):
    """The least digits of that width (numpy), as Python writes a float."""
    return repr(float(str(width(value))))


def text(scalar):
    """The text of an Arrow scalar; bytes as {"hex": …}."""
    type_ = scalar.type
    if pa.types.is_dictionary(type_):
        return scalar.as_py()
    if not scalar.is_valid:
        return None
    if pa.types.is_float16(type_):
        return float_text(scalar.as_py(), np.float16)
    if pa.types.is_float32(type_):
        return float_text(scalar.as_py(), np.float32)
    if pa.types.is_timestamp(type_) or pa.types.is_duration(type_):
        value = pd.Timestamp(scalar.value, unit=type_.unit) if pa.types.is_timestamp(type_) else pd.Timedelta(scalar.value, unit=type_.unit)
        if pa.types.is_timestamp(type_) and type_.tz is not None:
            value = value.tz_localize("UTC").tz_convert(type_.tz)
        return value.isoformat().replace("+00:00", "Z")
    if pa.types.is_time64(type_) and type_.unit == "ns":
        seconds, nanos = divmod(scalar.value, 10**9)
        clock = (dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds)).time().isoformat()
        fraction = f".{nanos:09d}" if nanos % 1000 else f".{nanos // 1000:06d}"
        return clock + (fraction if nanos else "")
    return python_text(scalar.as_py())


def nested_text(scalar):
    """The same of lists, structs and maps: lists and objects of texts."""
    type_ = scalar.type
    if not scalar.is_valid:
        return None
    if pa.types.is_list(type_):
        return [nested_text(one) for one in scalar.values]
    if pa.types.is_map(type_):
        return {one["key"].as_py(): nested_text(one["value"]) for one in scalar.values}
    if pa.types.is_struct(type_):
        return {type_.field(i).name: nested_text(scalar[i]) for i in range(type_.num_fields)}
    return text(scalar)


def wide_table(num_rows=3):
    columns = {}
    for number, (type_, draw) in enumerate(arrow_types()):
        name = f"{number} {type_}"
        arrow = (lambda values, t: pa.array(values, pa.string()).dictionary_encode()) if pa.types.is_dictionary(type_) else pa.array
        for fill, share in (("all", 0), ("some", 0.5), ("none", 1)):
            columns[f"{fill} {name}"] = arrow([None if rng.random() < share else draw() for _ in range(num_rows)], type_)
        if pa.types.is_null(type_) or pa.types.is_dictionary(type_):
            continue

        def maybe(make):
            return [None if rng.random() < 0.25 else make() for _ in range(num_rows)]

        columns[f"list {name}"] = pa.array(maybe(lambda: [draw() for _ in range(rng.randint(0, 2))]), pa.list_(type_))
        columns[f"map {name}"] = pa.array(maybe(lambda: [("k", draw()), ("l", None)]), pa.map_(pa.string(), type_))
        struct = pa.struct([("a", type_), ("b", pa.list_(type_))])
        columns[f"struct {name}"] = pa.array(maybe(lambda: {"a": draw(), "b": [draw(), None]}), struct)
    return pa.table(columns)


def wide_files():
    for codec in ("none", "snappy", "gzip", "brotli", "zstd", "lz4"):
        for version in ("1.0", "2.0"):
            table = wide_table()
            buffer = io.BytesIO()
            options = dict(compression=codec, data_page_version=version, version="2.6", row_group_size=2, max_rows_per_page=1)
            pq.write_table(table, buffer, use_dictionary=rng.random() < 0.5, write_statistics=False, **options)
            rows = [[nested_text(column[i]) for column in table.columns] for i in range(table.num_rows)]
            yield f"wide-{codec}-v{version[0]}.parquet", buffer.getvalue(), table.column_names, rows


def python_text(value):
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def written_as_arrow(table):
    """How pq.write_table may write it, and what of it is lost by that."""
    options = dict(
        compression=rng.choice(["none", "snappy", "gzip", "brotli", "zstd", "lz4"]),
        data_page_version=rng.choice(["1.0", "2.0"]),
        use_dictionary=rng.random() < 0.5,
        row_group_size=rng.randint(1, 4),
        version=rng.choice(["2.4", "2.6"]),
        write_statistics=rng.random() < 0.5,
        write_page_index=rng.random() < 0.3,
    )
    if options["version"] == "2.4":  # which has no nanoseconds
        options |= dict(coerce_timestamps="us", allow_truncated_timestamps=True)
    if not options["use_dictionary"]:
        options["column_encoding"] = {f.name: e for f in table.schema if (e := encoding_of(f.type)) is not None}
    return options


def encoding_of(type_):
    whole = pa.types.is_integer(type_) or pa.types.is_date(type_) or pa.types.is_time(type_) or pa.types.is_timestamp(type_) or pa.types.is_duration(type_)
    if whole:
        return rng.choice(["PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"])
    if pa.types.is_floating(type_) or pa.types.is_fixed_size_binary(type_):
        return rng.choice(["PLAIN", "BYTE_STREAM_SPLIT"])
    if pa.types.is_string(type_) or pa.types.is_binary(type_):
        return rng.choice(["PLAIN", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"])
    return "RLE" if pa.types.is_boolean(type_) else None


def parquet_file(table):
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **written_as_arrow(table))
    read = pq.read_table(io.BytesIO(buffer.getvalue()))
    rows = [[text(column[i]) for column in read.columns] for i in range(read.num_rows)]
    return buffer.getvalue(), read.column_names, rows


class Literal(str):
    """A number as JSON writes it."""


def json_file(lines):
    rows = [json.loads(line, parse_int=Literal, parse_float=Literal) for line in lines]
    shown = [[cell if isinstance(cell, str) else python_text(cell) for cell in row.values()] for row in rows]
    return ("\n".join(lines) + "\n").encode(), list(rows[0]), shown


def json_literal(scalar):
    value = scalar.as_py()
    if value is None or isinstance(value, (bool, int, str)):
        return json.dumps(value, ensure_ascii=rng.random() < 0.5)
    if isinstance(value, (float, decimal.Decimal)):
        return python_text(value)
    return json.dumps(text(scalar) if not isinstance(value, bytes) else value.hex())


def csv_file(written, delimiter):
    cells = list(csv.reader(io.StringIO(written, newline=""), delimiter=delimiter))
    return written.encode(), cells[0], cells[1:]


def by_pyarrow():
    table = arrow_table()
    lines = [
        "{" + ", ".join(f"{json.dumps(name)}: {json_literal(column[i])}" for name, column in zip(table.column_names, table.columns)) + "}"
        for i in range(table.num_rows)
    ]
    # Whole numbers have no end in JSON.
    lines = [line[:-1] + f', "long": {integer(-(10**30), 10**30)}' + "}" for line in lines]
    files = {"jsonl": json_file(lines), "parquet": parquet_file(table)}
    # What pyarrow's CSV writer does not take is left out there.
    takes = [f.name for f in table.schema if not (pa.types.is_float16(f.type) or pa.types.is_duration(f.type) or pa.types.is_fixed_size_binary(f.type) or pa.types.is_binary(f.type) or pa.types.is_large_binary(f.type) or pa.types.is_dictionary(f.type))]
    for ending, delimiter in (("csv", ","), ("tsv", "\t")):
        buffer = io.BytesIO()
        pa.csv.write_csv(table.select(takes), buffer, pa.csv.WriteOptions(delimiter=delimiter))
        files[ending] = csv_file(buffer.getvalue().decode(), delimiter)
    return files


def pandas_columns(num_rows):
    def column(dtype, draw, nulls=True):
        return pd.Series([None if nulls and rng.random() < 0.2 else draw() for _ in range(num_rows)], dtype=dtype)

    unit = rng.choice(["s", "ms", "us", "ns"])
    zone = rng.choice(ZONES)
    kinds = {
        "int64": lambda: column("int64", lambda: integer(-(2**63), 2**63 - 1), False),
        "uint64": lambda: column("uint64", lambda: integer(0, 2**64 - 1), False),
        "int8": lambda: column("int8", lambda: integer(-128, 127), False),
        "Int64": lambda: column("Int64", lambda: integer(-(2**63), 2**63 - 1)),
        "float64": lambda: column("float64", real),
        "float32": lambda: column("float32", lambda: np.float32(np.clip(real(), -3e38, 3e38))),
        "ints with gaps": lambda: column("float64", lambda: rng.randint(0, 9)),
        "bool": lambda: column("bool", lambda: rng.random() < 0.5, False),
        "boolean": lambda: column("boolean", lambda: rng.random() < 0.5),
        "str": lambda: column("str", lambda: rng.choice(WORDS)),
        "object": lambda: column("object", lambda: rng.choice(WORDS)),
        "category": lambda: column("category", lambda: rng.choice(["a", "b, c", "1.0"])),
        "moment": lambda: column("int64", lambda: moment(unit), False).astype(f"datetime64[{unit}]"),
        "zoned": lambda: column("int64", lambda: moment(unit), False).astype(f"datetime64[{unit}]").dt.tz_localize("UTC").dt.tz_convert(zone),
        "timedelta": lambda: column("int64", lambda: span(unit), False).astype(f"timedelta64[{unit}]"),
        "decimal": lambda: column("object", lambda: digits(20, 2)),
        "date": lambda: column("object", lambda: dt.date(1970, 1, 1) + dt.timedelta(days=rng.randint(-20000, 50000))),
        "time": lambda: column("object", lambda: (dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=of_day("us"))).time()),
    }
    return {name: kinds[name]() for name in rng.sample(sorted(kinds), rng.randint(3, 8))}


def by_pandas():
    num_rows = rng.randint(1, 4)
    frame = pd.DataFrame({"n": range(num_rows), **pandas_columns(num_rows)})
    lines = frame.drop(columns=[c for c in ("time", "decimal") if c in frame]).to_json(orient="records", lines=True, date_format="iso", double_precision=15).splitlines()
    table = pa.Table.from_pandas(frame)
    files = {"jsonl": json_file(lines)}
    buffer = io.BytesIO()
    frame.to_parquet(buffer, engine="pyarrow", compression=rng.choice([None, "snappy", "gzip", "brotli", "zstd", "lz4"]))
    read = pq.read_table(io.BytesIO(buffer.getvalue()))
    rows = [[text(column[i]) for column in read.columns] for i in range(read.num_rows)]
    files["parquet"] = (buffer.getvalue(), table.column_names, rows)
    for ending, delimiter in (("csv", ","), ("tsv", "\t")):
        files[ending] = csv_file(frame.to_csv(index=False, sep=delimiter), delimiter)
    return files


def main():
    expected = {}
    with zipfile.ZipFile(os.path.join(HERE, "tables.zip"), "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:

        def add(name, content):
            out.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)

        for i in range(NUM_TABLES):
            for ending, (content, columns, rows) in (by_pyarrow if i % 2 == 0 else by_pandas)().items():
                name = f"{i:03d}.{ending}"
                add(name, content)
                expected[name] = {"columns": columns, "rows": rows}
        for name, content, columns, rows in wide_files():
            add(name, content)
            expected[name] = {"columns": columns, "rows": rows}
        add("expected.json", json.dumps(expected, ensure_ascii=False, separators=(",", ":")))
    versions = {"python": sys.version.split()[0], "pyarrow": pa.__version__, "pandas": pd.__version__, "numpy": np.__version__}
    with open(os.path.join(HERE, "provenance.json"), "w") as file:
        provenance = {"command": "python test/golden/formats/tables/make.py", "versions": versions, "seed": 16, "tables": NUM_TABLES, "files": len(expected)}
        json.dump({**provenance, "values": sum(len(row) for one in expected.values() for row in one["rows"])}, file, indent=2)
        file.write("\n")


main()
