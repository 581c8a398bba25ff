"""Makes expected.json: a TensorBoard event file as the tensorboard package writes it, byte for byte, and what its reader finds in it.

Run: python test/golden/formats/tfevents/make.py   (needs tensorboard)
"""

import base64
import io
import json
import pathlib
import platform

import tensorboard
from google import protobuf
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

HERE = pathlib.Path(__file__).parent
EVENTS = [
    {"step": 0, "wallTime": 1700000000.25, "texts": {"config": "| key | value |\n| --- | --- |\n| naïve | “x” |"}},
    {"step": 1, "wallTime": 1700000001.5, "scalars": {"train/loss": 2.345678901, "train/loss/fpb": -0.0001, "train/tokens": 4096}},
    {"step": 300, "wallTime": 1700000099.75, "scalars": {"train/loss": 1e-30}},
    {"step": 2147483648, "wallTime": 1800000000, "scalars": {"dev/loss/a_b-c": 3.4e38}},
]


def value(tag, content):
    if isinstance(content, str):
        metadata = summary_pb2.SummaryMetadata(
            plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name="text"), data_class=summary_pb2.DATA_CLASS_TENSOR
        )
        shape = tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=1)])
        tensor = tensor_pb2.TensorProto(dtype=types_pb2.DT_STRING, tensor_shape=shape, string_val=[content.encode()])
        return summary_pb2.Summary.Value(tag=tag, tensor=tensor, metadata=metadata)
    return summary_pb2.Summary.Value(tag=tag, simple_value=content)


class Kept(io.BytesIO):
    def close(self):
        pass


out = Kept()
writer = RecordWriter(out)
writer.write(event_pb2.Event(wall_time=EVENTS[0]["wallTime"], file_version="brain.Event:2").SerializeToString())
for event in EVENTS:
    contents = {**event.get("scalars", {}), **event.get("texts", {})}
    summary = summary_pb2.Summary(value=[value(tag, content) for tag, content in contents.items()])
    writer.write(event_pb2.Event(wall_time=event["wallTime"], step=event["step"], summary=summary).SerializeToString())

path = HERE / "events.out.tfevents.golden"
path.write_bytes(out.getvalue())
read = [event_pb2.Event.FromString(raw) for raw in RawEventFileLoader(str(path)).Load()]
path.unlink()
assert len(read) == len(EVENTS) + 1 and read[2].summary.value[1].tag == "train/loss/fpb"

(HERE / "expected.json").write_text(
    json.dumps({"events": EVENTS, "file": base64.b64encode(out.getvalue()).decode()}, indent=1, ensure_ascii=False) + "\n"
)
(HERE / "provenance.json").write_text(
    json.dumps(
        {
            "command": f"python test/golden/formats/{HERE.name}/make.py",
            "versions": {"python": platform.python_version(), "tensorboard": tensorboard.__version__, "protobuf": protobuf.__version__},
            "seed": None,
        },
        indent=2,
    )
    + "\n"
)
