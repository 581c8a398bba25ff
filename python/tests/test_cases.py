"""Rules that both engines hold, by the tables of cases that TypeScript's suite reads too: protocol/cases/*.json."""

import hashlib
import json
from contextlib import contextmanager
from pathlib import Path

import pytest
from mixtune_worker.checkpoint import adapter_config, commit, evaluated_checkpoint, keep_checkpoints
from mixtune_worker.early_stopping import has_stopped, is_best
from mixtune_worker.errors import MixtuneError
from mixtune_worker.messages import dumps
from mixtune_worker.run_dir import cut_metrics
from worker_process import SOURCE

CASES = SOURCE.parent / "protocol" / "cases"


def cases_of(rule: str):
    """One test for each case of a table. Where the package stands alone, without the project, there is none."""
    path = CASES / f"{rule}.json"
    cases = json.loads(path.read_text())["cases"] if path.exists() else []
    return pytest.mark.parametrize("case", cases, ids=[case["name"] for case in cases])


@cases_of("early-stopping")
def test_early_stopping(case):
    evaluations = case["evaluations"]
    assert has_stopped(evaluations, case["patience"]) == case["stops"]
    if evaluations:
        assert is_best(evaluations[:-1], evaluations[-1]) == case["is_best"]


@cases_of("adapter-config")
def test_adapter_config(case):
    spec = {"model": {"name": case["model"]}, "train": case["train"]}
    assert dumps(adapter_config(spec, case["tensors"]), indent=2) == dumps(case["config"], indent=2)


@cases_of("metrics-resume")
def test_metrics_when_a_run_resumes(case, tmp_path):
    path = tmp_path / "metrics.jsonl"
    if case["log"] is not None:
        path.write_text(case["log"])
    cut_metrics(tmp_path, case["step"])
    text = path.read_text() if path.exists() else None
    assert text == (None if case["kept"] is None else "".join(dumps(line) + "\n" for line in case["kept"]))


def text_of(name: str, step: int, version: int = 1) -> str:
    return f"{name} of step {step}" + ("" if version == 1 else f", version {version}")


def writer(asked):
    def write(folder: Path):
        for name in ("adapter_model.safetensors", "optimizer.safetensors"):
            (folder / name).write_text(text_of(name, asked["step"], asked.get("version", 1)))

    return write


def with_digests(record):
    """A record of a case, with the digests of its files."""
    if record is None:
        return None
    digests = {name: hashlib.sha256(text_of(name, record["step"]).encode()).hexdigest() for name in record["files"]}
    return record | {"files": digests} | ({"best": with_digests(record["best"])} if "best" in record else {})


@contextmanager
def refused(error, run_dir: Path):
    """What is done within is refused with these words; None: it is not refused."""
    if error is None:
        yield
        return
    with pytest.raises(MixtuneError) as caught:
        yield
    assert caught.value.fields() == error | {"place": error["place"].replace("<run>", str(run_dir))}


@cases_of("checkpoints")
def test_checkpoints(case, tmp_path):
    root = tmp_path / "checkpoints"
    for asked in case["commits"]:
        with refused(asked.get("error"), tmp_path):
            commit(tmp_path, asked["step"], writer(asked), asked["best"], asked.get("dev_loss"))
    if "keep" in case:
        keep_checkpoints(tmp_path, case["keep"])
    last = root / "last.json"
    index = json.loads(last.read_text()) if last.exists() else None
    assert index == with_digests(case["index"])
    if index is not None and "best" in index:
        assert json.loads((root / "best.json").read_text()) == index["best"]
    assert sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()) == case["there"]
    if "remove" in case:
        (root / case["remove"]).unlink()
    if "change" in case:
        (root / case["change"]).write_text("changed")
    for evaluate, expected in case["evaluated"].items():
        train = {"evaluate": evaluate, "keep": case.get("keep", "weights")}
        with refused(None if isinstance(expected, str) else expected, tmp_path):
            assert evaluated_checkpoint(tmp_path, train).path == root / expected
