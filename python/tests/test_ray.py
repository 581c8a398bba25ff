"""A run as a task of Ray, without Ray: from storage, back into storage, and no longer than it is wanted. The cluster
itself: test/ray."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from conftest import first_values, run_worker, write_prepared
from mixtune_worker import ray_task
from mixtune_worker.checkpoint import OPTIMIZER_FILE, keep_checkpoints, read_checkpoint
from mixtune_worker.errors import MixtuneError
from mixtune_worker.files import sha256_of
from mixtune_worker.ray_driver import _in_a_row
from mixtune_worker.ray_task import code_name, do_run
from mixtune_worker.storage import Storage, StorageError


class Asked:
    """A study's storage with one run asked for."""

    def __init__(self, folder: Path, model_dir: Path, **train):
        self.root, self.uri = folder, f"file://{folder}"
        self.home = folder / "study" / "runs" / "abc"
        self.local = write_prepared(folder / "local", model_dir, {"save_steps": 2, **train}, num_steps=6)
        self.prepared = shutil.copytree(self.local, folder / "prepared")
        content = json.loads((self.prepared / "prepared.json").read_text())
        (self.prepared / "prepared.json").write_text(json.dumps(content | {"model_dir": f"models/{'e' * 64}"}))
        digest = sha256_of(self.prepared / "prepared.json")
        self.request = {"id": "abc", "study": "study", "request": digest, "model": "e" * 64}
        self.home.mkdir(parents=True)
        self.prepared = self.prepared.rename(self.home / f"prepared-{digest[:16]}")
        first_values(self.home, self.prepared)
        shutil.copytree(model_dir, folder / "models" / ("e" * 64))
        (folder / "models" / f"{'e' * 64}.json").write_text(json.dumps({"files": {}}))
        (folder / "study" / "study.json").write_text("{}")
        (folder / "study" / "queue").mkdir()
        self.ask()
        self.begin("first")

    def ask(self):
        (self.root / "study" / "queue" / "abc.json").write_text(json.dumps(self.request))

    def begin(self, attempt: str):
        (self.home / "attempt.json").write_text(json.dumps({"attempt": attempt}))

    def do(self, attempt: str = "first", losses=(), code: str | None = None):
        return do_run(self.uri, "study", self.request, attempt, list(losses), code or code_name())

    def index(self):
        return json.loads((self.home / "checkpoints" / "last.json").read_text())


@pytest.fixture
def asked(tmp_path, model_dirs):
    return Asked(tmp_path, model_dirs("llama"), method="lora")


def test_a_run_through_storage_leaves_what_it_leaves_here(asked, tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    first_values(here, asked.local)
    _, _, status = run_worker("run", asked.local, here)
    assert status == 0
    outcome = asked.do(losses=[{"step": 2, "reason": "its node was lost"}])
    assert (outcome["state"], outcome["opens_test"]) == ("done", ["fpb"])
    weights = "checkpoints/step-6/adapter_model.safetensors"
    assert outcome["files"][weights] == sha256_of(here / weights)
    assert outcome["files"]["answers/fpb.test.safetensors"] == sha256_of(
        asked.home / "answers" / "fpb.test.safetensors"
    )
    assert {name: sha256_of(asked.home / name) for name in outcome["files"]} == outcome["files"]
    assert {path.name for path in (asked.home / "checkpoints").glob("step-*/*")} == {
        "adapter_model.safetensors",
        "adapter_config.json",
    }
    notes = json.loads((asked.home / "receipt.json").read_text())["notes"]
    assert notes == ["Lost and gone on with from step 2: its node was lost."]
    assert list(ray_task._node_folder().glob("abc.*")) == []


def test_a_run_that_nobody_wants_any_more_saves_its_step_and_goes_on_from_there(asked, monkeypatch):
    monkeypatch.setitem(ray_task.PERIOD_SECONDS, True, 0.005)

    def unwanted(mirror, message, hear=ray_task.Mirror.hear):
        hear(mirror, message)
        if message.get("phase") == "train" and message["done"] == 3:
            (asked.root / "study" / "queue" / "abc.json").unlink()
            mirror.stopped.wait(10)

    with monkeypatch.context() as patch:
        patch.setattr(ray_task.Mirror, "hear", unwanted)
        assert asked.do() == {"state": "interrupted"}
    assert asked.index()["step"] == 3
    assert not (asked.home / "receipt.json").exists()
    asked.ask()
    asked.begin("second")
    assert asked.do("second")["state"] == "done"
    steps = [json.loads(line)["step"] for line in (asked.home / "metrics.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3, 4, 5, 6]


def test_an_attempt_that_was_given_up_writes_nothing_more(asked):
    asked.begin("another")
    before = {path: path.stat().st_mtime_ns for path in asked.home.rglob("*") if path.is_file()}
    assert asked.do("first") == {"state": "interrupted"}
    assert {path: path.stat().st_mtime_ns for path in asked.home.rglob("*") if path.is_file()} == before


def test_what_is_wrong_is_named_by_its_place_in_storage(asked):
    train = asked.prepared / "train.safetensors"
    whole = train.read_bytes()
    train.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    outcome = asked.do()
    assert (outcome["state"], outcome["place"]) == ("failed", f"{asked.uri}/study/runs/abc/prepared/train.safetensors")
    (asked.prepared / "prepared.json").write_text("{}")
    outcome = asked.do()
    assert outcome["place"].endswith("prepared.json")
    assert outcome["got"] == f"SHA-256 {hashlib.sha256(b'{}').hexdigest()[:12]}…"


def test_a_node_with_other_code_or_other_storage_is_named(asked):
    outcome = asked.do(code="_ray_pkg_0")
    assert (outcome["state"], outcome["expected"]) == ("failed", "the driver's code, in a folder _ray_pkg_0")
    (asked.root / "study" / "study.json").unlink()
    outcome = asked.do()
    assert (outcome["state"], outcome["got"]) == ("failed", "one without study/study.json")


def test_storage_that_fails_is_worth_another_attempt(asked, monkeypatch):
    def broken(*_):
        raise StorageError("s3://x", "room", "timeout", "Wait.")

    monkeypatch.setattr(ray_task.Storage, "get", broken)
    assert asked.do()["state"] == "lost"


@pytest.mark.parametrize(
    "keep,kept", [("none", set()), ("last", {"step-6"}), ("best", {"step-4"}), ("weights", {"step-4", "step-6"})]
)
def test_what_stays_of_a_finished_run(tmp_path, keep, kept):
    records = []
    for step in (4, 6):
        folder = tmp_path / "checkpoints" / f"step-{step}"
        folder.mkdir(parents=True)
        for name in ("adapter_model.safetensors", OPTIMIZER_FILE):
            (folder / name).write_text(f"{name} {step}")
        records.append({"step": step, "folder": folder.name, "files": {p.name: sha256_of(p) for p in folder.iterdir()}})
    (tmp_path / "checkpoints" / "last.json").write_text(json.dumps(records[1] | {"best": records[0]}))
    for _ in range(2):
        keep_checkpoints(tmp_path, keep)
        assert {path.name for path in (tmp_path / "checkpoints").glob("step-*")} == kept
        assert list(tmp_path.rglob(OPTIMIZER_FILE)) == []
    found = read_checkpoint(tmp_path)
    assert (None if found is None else found.step) == {"none": None, "best": 4}.get(keep, 6)


def test_losses_count_as_long_as_a_run_does_not_get_on():
    def at(*steps):
        return _in_a_row([{"step": step} for step in steps])

    assert [at(0), at(0, 0), at(0, 2), at(0, 0, 2, 2, 2)] == [1, 2, 1, 3]


def test_storage_never_shows_half_a_file(tmp_path):
    storage = Storage(f"file://{tmp_path}")
    assert (storage.read("a/b"), storage.names("a")) == (None, [])
    storage.write("a/b", "one")
    (tmp_path / "a" / ".c.tmp").write_text("half")
    assert (storage.read("a/b"), storage.names("a")) == (b"one", ["b"])

    def fails(path):
        Path(path).write_text("tw")
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="No space left"):
        storage._whole("a/b", fails)
    assert storage.read("a/b") == b"one"
    storage.remove("a")
    storage.remove("a")
    assert storage.names("") == []


def test_storage_that_cannot_be_opened_names_what_is_missing():
    with pytest.raises(MixtuneError, match="fsspec can open"):
        Storage("nosuch://bucket/folder")


def test_a_folder_that_others_may_write_to_is_not_worked_in(tmp_path, monkeypatch):
    monkeypatch.setattr(ray_task.tempfile, "gettempdir", lambda: str(tmp_path))
    ray_task._node_folder().chmod(0o777)
    outcome = do_run("file:///nowhere", "study", {"id": "abc"}, "first", [], code_name())
    assert outcome["state"] == "failed" and "nobody else may write to" in outcome["expected"]
