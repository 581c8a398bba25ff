"""The driver of a study on a Ray cluster, one Ray job: takes requests out of the study's queue, the longest first,
and has each done as a Ray task. What is lost with a process or a node is begun again and goes on from the last
checkpoint."""

import re
import secrets
import socket
import time
from dataclasses import dataclass
from typing import Any

from .errors import MixtuneError
from .messages import say
from .ray_task import PERIOD_SECONDS, code_name, do_run, open_study
from .storage import Storage, StorageError

LEAST_RAY = (2, 9)
IDLE_SECONDS = 30.0
"""How long an empty queue is watched."""
MOST_LOSSES = 3
"""Attempts lost in a row at the same checkpoint, after which a run has failed."""
INFEASIBLE_SECONDS = 600.0
"""How long no node is large enough for a run before that is said: clusters that grow need minutes."""
CANCEL_SECONDS = 60.0
"""How long a task that nobody wants any more may take to save and end."""
RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass
class Running:
    request: dict[str, Any]
    attempt: str
    resources: dict[str, float]
    unwanted_since: float | None = None
    infeasible_since: float | None = None


def drive(uri: str, study: str) -> None:
    """
    Works until the queue has been empty for a while.

    :raises MixtuneError: nothing can be done here
    """
    storage = open_study(uri, study, f"{socket.gethostname()} (Ray's head)")
    ray = _ray()
    ray.init(logging_level="warning")
    _Driver(ray, storage, uri, study).run()


def _ray() -> Any:
    import ray

    version = tuple(int(part) for part in re.findall(r"\d+", ray.__version__)[:2])
    if version < LEAST_RAY:
        raise MixtuneError(
            "Ray of the cluster",
            f"{'.'.join(map(str, LEAST_RAY))} or newer",
            ray.__version__,
            "Bring the cluster's Ray up to date.",
        )
    return ray


class _Driver:
    def __init__(self, ray: Any, storage: Storage, uri: str, study: str):
        self.ray, self.storage, self.uri, self.study = ray, storage, uri, study
        self.task = ray.remote(do_run)
        self.running: dict[Any, Running] = {}
        self.waiting: dict[str, dict[str, Any]] = {}
        self.known: dict[str, dict[str, Any] | None] = {}

    def run(self) -> None:
        busy = time.monotonic()
        failures = 0
        while time.monotonic() - busy < IDLE_SECONDS:
            try:
                self._look()
                self._submit()
                self._collect(PERIOD_SECONDS[self.storage.is_local])
                failures = 0
            except StorageError as error:
                failures += 1
                if failures >= 10:
                    raise
                print(error, flush=True)
                time.sleep(min(30, 2**failures))
            if self.running or self.waiting:
                busy = time.monotonic()
        print("nothing to do any more", flush=True)

    def _look(self) -> None:
        """Brings the queue up to date with the storage's."""
        names = self.storage.names(f"{self.study}/queue")
        self.known = {name: self.known[name] if name in self.known else self._request(name) for name in names}
        asked = {request["id"]: request for request in self.known.values() if request is not None}
        for run_id in [run_id for run_id in self.waiting if run_id not in asked]:
            del self.waiting[run_id]
        busy = {one.request["id"] for one in self.running.values()}
        for run_id, request in asked.items():
            if run_id in busy or run_id in self.waiting:
                continue
            done = self.storage.read_json(self._at(run_id, "outcome.json"))
            if done is not None and done.get("request") == request["request"]:
                self._forget(request)
            else:
                self.waiting[run_id] = request
        for one in self.running.values():
            is_wanted = one.request["id"] in asked  # for the same? the task itself looks
            one.unwanted_since = None if is_wanted else one.unwanted_since or time.monotonic()

    def _request(self, name: str) -> dict[str, Any] | None:
        place = f"{self.study}/queue/{name}"
        request = self.storage.read_json(place)
        if request is None:
            return None
        try:
            sound = (
                request["format"] == 1
                and name == f"{request['id']}.json"
                and RUN_ID.fullmatch(request["id"]) is not None
                and all(DIGEST.fullmatch(request[key]) for key in ("request", "model"))
                and all(request[key] >= 0 for key in ("seconds", "num_cpus", "num_gpus", "memory"))
            )
        except (TypeError, KeyError):
            sound = False
        if not sound:
            print(f"{self.storage.place(place)}: not a request of this version, left alone", flush=True)
        return {**request, "study": self.study} if sound else None

    def _submit(self) -> None:
        """
        The longest first, as long as there is room. One more waits within Ray, so that a growing cluster hears of it.
        """
        room = dict(self.ray.cluster_resources())
        for one in self.running.values():
            if one.infeasible_since is None:
                _take(room, one.resources)
        if any(amount < 0 for amount in room.values()):
            return
        for request in sorted(self.waiting.values(), key=lambda request: -request["seconds"]):
            resources = {"CPU": request["num_cpus"], "GPU": request["num_gpus"], "memory": request["memory"]}
            fits = all(room.get(name, 0) >= amount for name, amount in resources.items() if amount > 0)
            self._start(request, resources)
            if self._could_ever_fit(resources):
                _take(room, resources)
                if not fits:
                    return

    def _could_ever_fit(self, resources: dict[str, float]) -> bool:
        return any(
            all(node.get(name, 0) >= amount for name, amount in resources.items() if amount > 0)
            for node in self._nodes()
        )

    def _nodes(self) -> list[dict[str, float]]:
        return [node["Resources"] for node in self.ray.nodes() if node["Alive"]]

    def _too_small(self, resources: dict[str, float]) -> MixtuneError:
        def text(of: dict[str, float]) -> str:
            return f"{of.get('CPU', 0):g} CPUs, {of.get('GPU', 0):g} GPUs, {of.get('memory', 0) / 1e9:.1f} GB"

        nodes = "; ".join(sorted({text(node) for node in self._nodes()}))
        remedy = "Add such a node, or choose a smaller model."
        return MixtuneError(
            "the Ray cluster", f"a node with {text(resources)}", f"nodes with {nodes or 'nothing'}", remedy
        )

    def _start(self, request: dict[str, Any], resources: dict[str, float]) -> None:
        run_id = request["id"]
        losses = self._losses(request)
        attempt = secrets.token_hex(8)
        self.storage.write_json(
            self._at(run_id, "attempt.json"), {"request": request["request"], "attempt": attempt, "losses": losses}
        )
        options = {
            "num_cpus": resources["CPU"],
            "num_gpus": resources["GPU"],
            "memory": int(resources["memory"]) or None,
        }
        task = self.task.options(name=f"mixtune {run_id}", max_retries=0, **options)
        ref = task.remote(self.uri, self.study, request, attempt, losses, code_name())
        infeasible = None if self._could_ever_fit(resources) else time.monotonic()
        if infeasible is not None:
            small = self._too_small(resources)
            say(
                "note",
                text=f"Run {run_id} waits for {small.expected}; there are {small.got}. "
                f"After {INFEASIBLE_SECONDS / 60:g} minutes it is given up.",
            )
        self.running[ref] = Running(request, attempt, resources, infeasible_since=infeasible)
        self.waiting.pop(run_id, None)
        print(f"{run_id}: submitted, attempt {len(losses) + 1}", flush=True)

    def _losses(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        """Of this request. An attempt that had begun and was never ended went with the driver before this one."""
        before = self.storage.read_json(self._at(request["id"], "attempt.json")) or {}
        if before.get("request") != request["request"]:
            return []
        lost = before.get("losses", [])
        begun = (self.storage.read_json(self._at(request["id"], "progress.json")) or {}).get("attempt")
        if before.get("attempt") is None or before["attempt"] != begun:
            return lost
        return [*lost, self._loss(request, "its driver was killed")]

    def _loss(self, request: dict[str, Any], reason: str) -> dict[str, Any]:
        index = self.storage.read_json(self._at(request["id"], "checkpoints/last.json"))
        return {"step": 0 if index is None else index["step"], "reason": reason}

    def _collect(self, seconds: float) -> None:
        if not self.running:
            time.sleep(seconds)
            return
        ready, _ = self.ray.wait(list(self.running), timeout=seconds)
        for ref in ready:
            self._ended(ref, self.running[ref])
            del self.running[ref]
        now = time.monotonic()
        for ref, one in list(self.running.items()):
            if one.unwanted_since is not None and now - one.unwanted_since > CANCEL_SECONDS:
                self.ray.cancel(ref, force=True)
            if one.infeasible_since is None:
                continue
            if self._could_ever_fit(one.resources):
                one.infeasible_since = None
            elif now - one.infeasible_since > INFEASIBLE_SECONDS:
                self.ray.cancel(ref, force=True)
                del self.running[ref]
                self._conclude(one.request, {"state": "failed", **self._too_small(one.resources).fields()})

    def _ended(self, ref: Any, one: Running) -> None:
        errors = self.ray.exceptions
        try:
            outcome = self.ray.get(ref)
        except errors.TaskCancelledError:
            outcome = {"state": "interrupted"}
        except (errors.RuntimeEnvSetupError, errors.TaskUnschedulableError, errors.RayTaskError) as error:
            outcome = {"state": "failed", **_from_ray(error).fields()}
        except errors.RayError as error:
            outcome = {"state": "lost", "reason": _reason(error)}
        request = one.request
        run_id = request["id"]
        self.known.pop(f"{run_id}.json", None)  # it may have been asked for anew, for something else
        print(f"{run_id}: {outcome['state']} {outcome.get('reason', '')}".rstrip(), flush=True)
        if outcome["state"] == "interrupted":
            self._forget_attempt(run_id, one.attempt)
        elif outcome["state"] != "lost":
            self._conclude(request, outcome)
        else:
            before = self.storage.read_json(self._at(run_id, "attempt.json")) or {}
            losses = [*before.get("losses", []), self._loss(request, outcome["reason"])]
            if _in_a_row(losses) >= MOST_LOSSES:
                self._conclude(request, {"state": "failed", **_lost_too_often(run_id, losses).fields()})
                return
            record = {"request": request["request"], "attempt": None, "losses": losses}
            self.storage.write_json(self._at(run_id, "attempt.json"), record)
            self.waiting[run_id] = request

    def _forget_attempt(self, run_id: str, attempt: str) -> None:
        place = self._at(run_id, "attempt.json")
        if (self.storage.read_json(place) or {}).get("attempt") == attempt:
            self.storage.remove(place)

    def _conclude(self, request: dict[str, Any], outcome: dict[str, Any]) -> None:
        self.storage.write_json(
            self._at(request["id"], "outcome.json"), {"format": 1, "request": request["request"], **outcome}
        )
        self._forget(request)

    def _forget(self, request: dict[str, Any]) -> None:
        run_id, digest = request["id"], request["request"]
        place = f"{self.study}/queue/{run_id}.json"
        if (self.storage.read_json(place) or {}).get("request") == digest:
            self.storage.remove(place)
        self.storage.remove(self._at(run_id, f"prepared-{digest[:16]}"))
        self.storage.remove(self._at(run_id, "attempt.json"))

    def _at(self, run_id: str, name: str) -> str:
        return f"{self.study}/runs/{run_id}/{name}"


def _take(room: dict[str, float], resources: dict[str, float]) -> None:
    for name, amount in resources.items():
        room[name] = room.get(name, 0) - amount


def _in_a_row(losses: list[dict[str, Any]]) -> int:
    """How many of the last losses were at the same checkpoint: a run that gets on may be lost any number of times."""
    return sum(loss["step"] == losses[-1]["step"] for loss in losses)


def _reason(error: Exception) -> str:
    named = {
        "WorkerCrashedError": "its process was killed",
        "OutOfMemoryError": "Ray killed it for want of memory on its node",
        "NodeDiedError": "its node was lost",
        "LocalRayletDiedError": "its node was lost",
    }
    kind = type(error).__name__
    return named.get(kind) or f"{kind}: {(str(error).strip().splitlines() or [''])[0]}"[:200]


def _from_ray(error: Exception) -> MixtuneError:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return MixtuneError(
        "a Ray task",
        "one that can be started",
        f"{type(error).__name__}: {lines[-1]}"[:500],
        "Look into the job's log: ray job logs names the node.",
    )


def _lost_too_often(run_id: str, losses: list[dict[str, Any]]) -> MixtuneError:
    reasons = "; ".join(loss["reason"] for loss in losses[-MOST_LOSSES:])
    return MixtuneError(
        f"run {run_id}",
        f"to get past step {losses[-1]['step']}",
        f"{MOST_LOSSES} attempts lost there: {reasons}",
        "If memory is short, choose larger nodes or a smaller train.cutoff_len; "
        "the same command goes on from the last checkpoint.",
    )
