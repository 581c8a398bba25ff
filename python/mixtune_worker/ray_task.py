"""One run as a task of Ray: its folder out of storage into a scratch folder of the node, the worker's `run`, and
what it makes back into storage as it goes. PyTorch is imported when a task begins, and kept by the process for the
next one."""

import hashlib
import json
import os
import re
import shutil
import socket
import stat
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from . import messages
from .errors import DamagedRun, Interrupted, MixtuneError, fault
from .files import remove_quietly, sha256_of
from .packages import check_packages
from .storage import Storage, StorageError
from .team import do

MARK = "study.json"
"""What a laptop writes first: where it cannot be seen, the storage is another one."""
PERIOD_SECONDS = {True: 1.0, False: 5.0}
"""How often what changed goes to storage, by whether it is a folder: requests to object stores have a price."""
METRICS_SECONDS = 10.0
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
ANSWERS = re.compile(r"[a-z0-9][a-z0-9_-]*\.(dev|test)\.safetensors")


def code_name() -> str:
    """
    Of the folder that this package lies in: Ray names what it unpacks by its content. Driver and nodes must have the
    same version.
    """
    return Path(__file__).resolve().parents[1].name


def do_run(
    uri: str, study: str, request: dict[str, Any], attempt: str, losses: list[dict[str, Any]], code: str
) -> dict[str, Any]:
    """
    The outcome of one attempt.

    :return: state `done` with the digests of what there is to fetch, `failed` with why, `interrupted`, or `lost`: worth
        another attempt
    """
    node = socket.gethostname()
    scratch = None
    try:
        scratch = _scratch(request["id"], attempt)
        if code != code_name():
            raise MixtuneError(
                f"mixtune_worker of {sys.executable} on {node}",
                f"the driver's code, in a folder {code}",
                f"other code, in {Path(__file__).resolve().parents[1]}",
                "Remove mixtune-worker from the nodes' own environment: it is sent along with every study.",
            )
        check_packages()
        storage = open_study(uri, study, node)
        return _Attempt(storage, request, attempt, losses, scratch).outcome()
    except Interrupted:
        return {"state": "interrupted"}
    except StorageError as error:
        return {"state": "lost", "reason": f"{error.place}: {error.got}, on {node}"}
    except MixtuneError as error:
        home = f"{uri}/{study}/runs/{request['id']}"
        return {"state": "failed", **(error.fields() if scratch is None else _at_home(error, scratch, home))}
    except Exception as error:  # a fault is told, not repeated
        return {"state": "failed", **fault(error), "stack": traceback.format_exc()}
    finally:
        messages.listen(None)
        if scratch is not None:
            remove_quietly(scratch)


def open_study(uri: str, study: str, node: str) -> Storage:
    """
    The storage, when it is the laptop's.

    :raises MixtuneError: it cannot be seen from here
    """
    storage = Storage(uri)
    if storage.read(f"{study}/{MARK}") is None:
        raise MixtuneError(
            f"{uri} on {node}",
            "the storage of the computer that asks",
            f"one without {study}/{MARK}",
            "Give storage that all of the cluster and your computer see: a shared folder, or an object store.",
        )
    return storage


def _node_folder() -> Path:
    """Ours on this node, and nobody else's: what lies there is believed."""
    folder = Path(tempfile.gettempdir()) / f"mixtune-ray-{os.getuid()}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    about = folder.lstat()
    if about.st_uid != os.getuid() or not stat.S_ISDIR(about.st_mode) or about.st_mode & 0o022:
        raise MixtuneError(
            f"{folder} on {socket.gethostname()}",
            "a folder of this user that nobody else may write to",
            "another",
            "Remove it, or set TMPDIR for Ray's processes.",
        )
    return folder


def _scratch(run_id: str, attempt: str) -> Path:
    root = _node_folder()
    for left in root.glob(f"{run_id}.*"):  # of attempts that were killed here
        remove_quietly(left)
    scratch = root / f"{run_id}.{attempt}"
    scratch.mkdir()
    return scratch


def _at_home(error: MixtuneError, scratch: Path, home: str) -> dict[str, str]:
    """Its words with the storage's places in place of the scratch folder's."""
    places = {f"{scratch}/run": home, f"{scratch}/prepared": f"{home}/prepared", str(scratch): home}
    fields = error.fields()
    for name, text in fields.items():
        for here, there in places.items():
            text = text.replace(here, there)
        fields[name] = text
    return fields


class _Attempt:
    def __init__(
        self, storage: Storage, request: dict[str, Any], attempt: str, losses: list[dict[str, Any]], scratch: Path
    ):
        self.storage, self.request, self.attempt, self.losses, self.scratch = storage, request, attempt, losses, scratch
        self.home = f"{request['study']}/runs/{request['id']}"
        self.run_dir = scratch / "run"

    def outcome(self) -> dict[str, Any]:
        from .checkpoint import keep_checkpoints
        from .run_dir import add_note

        prepared = self._prepared()
        self._restore()
        mirror = Mirror(self.storage, self.home, self.request, self.attempt, self.run_dir)
        messages.listen(mirror.hear)
        with mirror:
            do(self.scratch / "prepared", self.run_dir, mirror.is_stopped)
            for loss in self.losses:
                add_note(self.run_dir, f"Lost and gone on with from step {loss['step']}: {loss['reason']}.")
            if prepared["spec"] is not None:
                keep_checkpoints(self.run_dir, prepared["spec"]["train"]["keep"])
        mirror.sync(last=True)
        if mirror.is_stopped():
            raise Interrupted()
        answers = [f"answers/{question['task']}.{question['split']}.safetensors" for question in prepared["questions"]]
        return {"state": "done", "files": _digests(self.run_dir, answers), **mirror.kept()}

    def _prepared(self) -> dict[str, Any]:
        """The prepared run in the scratch folder; its digests are compared by whoever reads it."""
        there, here = f"{self.home}/prepared-{self.request['request'][:16]}", self.scratch / "prepared"
        content = self.storage.read(f"{there}/prepared.json")
        got = None if content is None else hashlib.sha256(content).hexdigest()
        if got != self.request["request"]:
            raise DamagedRun(
                self.storage.place(f"{there}/prepared.json"),
                f"the file with SHA-256 {self.request['request'][:12]}…",
                "no file" if got is None else f"SHA-256 {got[:12]}…",
                "Run the same command again: it is put there anew.",
            )
        prepared = json.loads(content or b"")
        for name in prepared["files"]:
            if PLAIN.fullmatch(name):
                self.storage.get(f"{there}/{name}", here / name)
        prepared["model_dir"] = str(self._model())
        (here / "prepared.json").write_text(json.dumps(prepared))
        return prepared

    def _model(self) -> Path:
        """The model's folder on this node: fetched once, or the storage's own where that is a folder."""
        digest = self.request["model"]
        there = f"models/{digest}"
        index = self.storage.read_json(f"{there}.json")
        if index is None:
            raise MixtuneError(
                self.storage.place(f"{there}.json"),
                "a model",
                "none",
                "Run the same command again: it is put there anew.",
            )
        local = self.storage.local_path(there)
        if local is not None:
            return local
        cached = _node_folder() / "models" / digest
        if not cached.is_dir():
            fetched = cached.with_name(f"{digest}.{self.attempt}.tmp")
            for name, digest in index["files"].items():
                if PLAIN.fullmatch(name):
                    self._get_whole(f"{there}/{name}", fetched / name, digest)
            try:
                fetched.rename(cached)
            except OSError:  # another task was first
                shutil.rmtree(fetched, ignore_errors=True)
        return cached

    def _get_whole(self, name: str, file: Path, digest: str) -> None:
        self.storage.get(name, file)
        got = sha256_of(file)
        if got != digest:
            place = self.storage.place(name)
            raise MixtuneError(
                place,
                f"the file with SHA-256 {digest[:12]}…",
                f"SHA-256 {got[:12]}…",
                f"Remove {place.rsplit('/', 1)[0]}.json.",
            )

    def _restore(self) -> None:
        """The run's folder as storage has it."""
        self.run_dir.mkdir()
        root = f"{self.home}/checkpoints"
        index = self.storage.read_json(f"{root}/last.json")
        files = [
            name for name in ("metrics.jsonl", "receipt.json") if self.storage.read(f"{self.home}/{name}") is not None
        ]
        for record in [] if index is None else [index, *([index["best"]] if index.get("best") else [])]:
            names = [record["folder"], *record["files"]]
            if all(isinstance(name, str) and PLAIN.fullmatch(name) for name in names):
                files += [f"checkpoints/{record['folder']}/{name}" for name in record["files"]]
        if index is not None:
            files.append("checkpoints/last.json")
        files += [f"answers/{name}" for name in self.storage.names(f"{self.home}/answers") if ANSWERS.fullmatch(name)]
        for name in dict.fromkeys(files):
            self.storage.get(f"{self.home}/{name}", self.run_dir / name)


def _digests(run_dir: Path, answers: list[str]) -> dict[str, str]:
    found = [
        path
        for name in ("metrics.jsonl", "receipt.json", "checkpoints/*.json", "checkpoints/step-*/*")
        for path in sorted(run_dir.glob(name))
    ]
    found += [run_dir / name for name in answers]
    return {str(path.relative_to(run_dir)): sha256_of(path) for path in found}


class Mirror:
    """Copies what a run makes to storage, in a thread of its own, and looks there whether the run is still wanted."""

    def __init__(self, storage: Storage, home: str, request: dict[str, Any], attempt: str, run_dir: Path):
        self.storage, self.home, self.request, self.attempt, self.run_dir = storage, home, request, attempt, run_dir
        self.progress: dict[str, Any] = {
            "request": request["request"],
            "attempt": attempt,
            "host": socket.gethostname(),
        }
        self.told = ""
        self.sent: dict[str, Any] = {}
        self.metrics_sent = 0.0
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> "Mirror":
        self.sync()
        self.thread.start()
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        self.over.set()
        self.thread.join()
        if kind is not None:
            self.sync()

    def is_stopped(self) -> bool:
        return self.stopped.is_set()

    def hear(self, message: dict[str, Any]) -> None:
        """A message of the run."""
        with self.lock:
            if message["kind"] == "note":
                self.progress["notes"] = [*self.progress.get("notes", []), message["text"]]
            elif message["kind"] == "progress":
                fields = {key: value for key, value in message.items() if key != "kind"}
                fields.pop("peak_memory_bytes", None)  # of a process that has done other runs
                if "opens_test" in fields:
                    self.progress["opens_test"] = fields.pop("opens_test")
                self.progress["last"] = fields

    def kept(self) -> dict[str, Any]:
        return {key: self.progress[key] for key in ("opens_test", "notes") if key in self.progress}

    def _keep(self) -> None:
        while not self.over.wait(PERIOD_SECONDS[self.storage.is_local]):
            try:
                self.sync()
            except (OSError, MixtuneError) as error:  # tried again; the last time it counts
                print(f"storage: {error}", file=sys.stderr)

    def sync(self, last: bool = False) -> None:
        """All that changed: what vouches for other files follows them."""
        self._look_whether_wanted()
        if self._is_lost():
            return
        has_receipt = (self.run_dir / "receipt.json").exists()
        index = self._read("checkpoints/last.json")
        changed = index is not None and self.sent.get("checkpoints/last.json") != index
        if changed or last or time.monotonic() - self.metrics_sent > METRICS_SECONDS:
            self._send("metrics.jsonl")
            self.metrics_sent = time.monotonic()
        if index is not None and (changed or last):
            self._send_checkpoints(index, last)
        elif index is None and last:
            self.storage.remove(f"{self.home}/checkpoints")
        for path in sorted((self.run_dir / "answers").glob("*.safetensors")):
            self._send(f"answers/{path.name}")
        if has_receipt:
            self._send("receipt.json")
        with self.lock:
            text = messages.dumps(self.progress)
        if text != self.told:
            self.storage.write(f"{self.home}/progress.json", text)
            self.told = text

    def _send_checkpoints(self, index: bytes, last: bool) -> None:
        record = json.loads(index)
        named = [one for one in (record, record.get("best")) if one is not None]
        root = f"{self.home}/checkpoints"
        there = set(self.storage.names(root))
        try:
            for one in named:
                for name, digest in one["files"].items():
                    self._put(f"checkpoints/{one['folder']}/{name}", digest)
        except FileNotFoundError:
            return  # a newer one took its place: next time
        self.storage.write(f"{root}/last.json", index)
        self.sent["checkpoints/last.json"] = index
        if "best" in record:
            self.storage.write(f"{root}/best.json", messages.dumps(record["best"], indent=2) + "\n")
        for name in there - {one["folder"] for one in named}:
            if name.startswith("step-"):
                self.storage.remove(f"{root}/{name}")
        for one in named if last else []:
            for name in set(self.storage.names(f"{root}/{one['folder']}")) - one["files"].keys():
                self.storage.remove(f"{root}/{one['folder']}/{name}")

    def _send(self, name: str) -> None:
        try:
            stat = (self.run_dir / name).stat()
        except FileNotFoundError:
            return
        self._put(name, f"{stat.st_mtime_ns} {stat.st_size} {stat.st_ino}")

    def _put(self, name: str, version: str) -> None:
        if self.sent.get(name) == version:
            return
        path = self.run_dir / name
        if not path.exists():
            raise FileNotFoundError(path)
        self.storage.put(path, f"{self.home}/{name}")
        self.sent[name] = version

    def _read(self, name: str) -> bytes | None:
        try:
            return (self.run_dir / name).read_bytes()
        except FileNotFoundError:
            return None

    def _look_whether_wanted(self) -> None:
        """Whoever asked takes the request away to stop a run; a driver that thinks this attempt lost begins another."""
        wanted = self.storage.read_json(f"{self.request['study']}/queue/{self.request['id']}.json")
        if wanted is None or wanted.get("request") != self.request["request"] or self._is_lost():
            self.stopped.set()

    def _is_lost(self) -> bool:
        owner = self.storage.read_json(f"{self.home}/attempt.json")
        return owner is None or owner.get("attempt") != self.attempt
