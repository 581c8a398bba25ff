"""One run shared by several ranks: real processes on the processor, beside the same run done by one."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import first_values, own_head, run_worker, start_worker, write_prepared
from mixtune_worker import checkpoint, team
from mixtune_worker.checkpoint import weight_file
from mixtune_worker.errors import Again, Interrupted, MixtuneError
from mixtune_worker.memory import Thrift
from mixtune_worker.model import open_model
from mixtune_worker.packs import Entries, turns
from mixtune_worker.prepared import Prepared
from mixtune_worker.questions import Asker
from mixtune_worker.ranks import Ranks
from mixtune_worker.train import Training
from safetensors.numpy import load_file
from test_numerics import CPU, never
from worker_process import SOURCE

STEPS = [[[[0, 1, 2], [3]], [[4, 5]], [[6]]], [[[6, 7], [8, 9, 10, 11]]], [[[3]]]]
"""More packs than two ranks, fewer, and one entry alone."""


SMOOTH = {"adam_epsilon": 1e-4}
"""Gradients of nearly nothing, which are mostly rounding, do not become whole steps."""


def pair(folder: Path, model_dir: Path, train, num_steps: int, **changes):
    """A prepared run of one rank and the same of two, with first values where needed, and a run folder of each."""
    made = []
    for ranks in (1, 2):
        prepared = write_prepared(
            folder / f"prepared-{ranks}",
            model_dir,
            train | SMOOTH,
            num_steps=num_steps,
            steps=STEPS,
            ranks=ranks,
            **changes,
        )
        run_dir = folder / f"run-{ranks}"
        run_dir.mkdir()
        if train["method"] == "lora":
            first_values(run_dir, prepared)
        made += [prepared, run_dir]
    return made


def train_here(prepared: Path, run_dir: Path, until: int | None = None, thrift: Thrift | None = None):
    """In this process, to a step or the end. The training."""
    read = Prepared(prepared)
    model = open_model(read.json, CPU, {p["name"]: p["shape"] for p in read.json["train"]["parameters"]})
    at = [0]
    training = Training(
        read, run_dir, model, lambda: at[0] == until, lambda step, _: at.__setitem__(0, step), begin_with=thrift
    )
    if until is None:
        training.run()
    else:
        with pytest.raises(Interrupted):
            training.run()
    return training


def whole_here(prepared: Path, run_dir: Path):
    training = train_here(prepared, run_dir)
    training.model.net.requires_grad_(False)
    asked = checkpoint.read_checkpoint(run_dir, training.train["evaluate"]).path / weight_file(training.train)
    training.model.load(checkpoint.read_tensors(asked), asked)
    Asker(training.prepared, run_dir, training.model, training.plan["num_steps"], never).run()


def expect_same(one: Path, two: Path, method: str, num_steps: int):
    lines = [
        [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()] for run_dir in (one, two)
    ]
    assert [line["step"] for line in lines[1]] == list(range(1, num_steps + 1))
    for a, b in zip(*lines, strict=True):
        assert b["loss"] == pytest.approx(a["loss"], rel=1e-6)
        assert b["grad_norm"] == pytest.approx(a["grad_norm"], rel=1e-5)
        assert b["loss_per_task"] == pytest.approx(a["loss_per_task"], rel=1e-5)
        assert b.get("dev_loss") == pytest.approx(a["dev_loss"], rel=1e-5) if "dev_loss" in a else "dev_loss" not in b
        assert (b["tokens"], b["learning_rate"]) == (a["tokens"], a["learning_rate"])
    for file in (weight_file({"method": method}), "optimizer.safetensors"):
        a, b = (load_file(run_dir / "checkpoints" / f"step-{num_steps}" / file) for run_dir in (one, two))
        assert list(a) == list(b)
        for name, tensor in a.items():
            np.testing.assert_allclose(b[name], tensor, rtol=0, atol=1e-5, err_msg=name)
    a, b = (load_file(run_dir / "answers" / "fpb.test.safetensors") for run_dir in (one, two))
    for name in ("label_logprobs", "gold_logprobs"):
        np.testing.assert_allclose(b[name], a[name], atol=1e-4)
    for name in ("text_ids", "text_offsets", "text_stopped"):
        np.testing.assert_array_equal(b[name], a[name])


@pytest.mark.parametrize("tied", [True, False])
def test_two_ranks_train_a_whole_model_and_ask_it_as_one_does(tmp_path, model_dirs, tied):
    model_dir = model_dirs("qwen2")  # its embeddings are its head
    if not tied:
        model_dir = own_head(tmp_path / "model", model_dir)
    train = {"method": "full", "learning_rate": 0.005, "eval_steps": 1, "evaluate": "best"}
    alone, one, shared, two = pair(tmp_path, model_dir, train, 4)
    whole_here(alone, one)
    said, _, status = run_worker("run", shared, two)
    assert (said[-1], status) == ({"kind": "outcome", "state": "done"}, 0)
    assert not tied or checkpoint.read_checkpoint(two, "best").step < 4
    expect_same(one, two, "full", 4)
    last = checkpoint.read_checkpoint(two).path
    assert json.loads((last / "config.json").read_text())["tie_word_embeddings"] == tied
    assert ("lm_head.weight" in load_file(last / "model.safetensors")) != tied
    assert json.loads((two / "receipt.json").read_text())["versions"]["device"] == "2 x cpu"
    assert [m["done"] for m in said if m.get("phase") == "train"] == [1, 2, 3, 4]
    assert [m["opens_test"] for m in said if "opens_test" in m] == [["fpb"]]


def test_two_ranks_go_on_where_one_stopped_stop_when_asked_and_one_goes_on_again(tmp_path, model_dirs):
    train = {"method": "lora", "use_dora": True, "learning_rate": 0.005}
    alone, one, shared, two = pair(tmp_path, model_dirs("gemma2"), train, 30)
    whole_here(alone, one)
    train_here(alone, two, until=3, thrift=Thrift(2, True))
    child = start_worker("run", shared, two)
    said = []
    for line in child.stdout:
        said.append(json.loads(line))
        if said[-1].get("phase") == "train":
            child.send_signal(signal.SIGINT)
    assert (child.wait(), said[-1]) == (0, {"kind": "outcome", "state": "interrupted"})
    stopped = json.loads((two / "checkpoints" / "last.json").read_text())["step"]
    assert 4 <= stopped < 30
    whole_here(alone, two)
    expect_same(one, two, "lora", 30)
    assert all(json.loads(line)["recompute"] for line in (two / "metrics.jsonl").read_text().splitlines())


def children_of(pid: int) -> list[int]:
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def wait_until_gone(pids: list[int]):
    until = time.monotonic() + 20
    while time.monotonic() < until and any(is_there(pid) for pid in pids):
        time.sleep(0.05)
    assert [pid for pid in pids if is_there(pid)] == []


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@on_linux
def test_a_rank_that_is_killed_ends_all_and_is_named(tmp_path, model_dirs):
    """In bfloat16, where adapters of float32 and frozen weights are gathered together."""
    train = {"method": "lora", "save_steps": 5}
    _, _, shared, two = pair(tmp_path, model_dirs("llama"), train, 300, precision="bfloat16", dev=False)
    child = start_worker("run", shared, two)
    said = map(json.loads, child.stdout)
    next(message for message in said if message.get("phase") == "train" and message["done"] == 7)
    ranks = children_of(child.pid)
    os.kill(ranks[1], signal.SIGKILL)
    outcome = list(said)[-1]
    assert (outcome["state"], outcome["place"]) == ("failed", "rank 1 of 2 of the PyTorch worker")
    assert outcome["got"].startswith("signal 9 (killed: often for want of memory)")
    assert child.wait() == 1
    wait_until_gone(ranks)
    saved = json.loads((two / "checkpoints" / "last.json").read_text())["step"]
    assert saved >= 5 and saved % 5 == 0


TOY = """
import sys, time, types
from mixtune_worker import __main__, errors, messages
def run_rank(task, stop):
    rank = task["rank"]
    messages.say("progress", phase="train", done=rank, total=9, unit="steps")
    {what}
sys.modules["mixtune_worker.run"] = types.SimpleNamespace(run_rank=run_rank)
sys.argv = ["mixtune_worker", "rank"]
__main__.main()
"""
STUCK = "while True: time.sleep(1)"


@pytest.fixture
def toys(tmp_path, model_dirs, monkeypatch):
    """Has a team of toys do a run; the messages that are passed on."""
    shared = write_prepared(tmp_path / "prepared", model_dirs("llama"), ranks=2, untuned=True)

    def act(what: str, stop=never):
        said = []
        monkeypatch.setattr(team, "COMMAND", [sys.executable, "-c", TOY.format(what=what)])
        monkeypatch.setattr(team, "say", lambda kind, **fields: said.append({"kind": kind, **fields}))
        team.do(shared, tmp_path, stop)
        return said

    return act


def test_the_first_rank_speaks_for_all(toys):
    assert [message["done"] for message in toys("pass")] == [0]


@pytest.mark.parametrize(
    "why, got",
    [
        (
            'raise errors.MixtuneError("the disk", "room", "none", "Make some.") if rank == 1 '
            'else ConnectionError("closed by peer")',
            "none",
        ),
        (
            "import os; os._exit(7) if rank == 1 else None; raise ConnectionError('closed by peer')",
            "status 7; the other ranks were ended",
        ),
    ],
)
def test_of_several_reasons_the_one_that_a_person_can_put_right_is_told(toys, why, got):
    with pytest.raises(MixtuneError) as caught:
        toys(why)
    assert caught.value.got == got
    assert caught.value.status == 1


def test_a_rank_that_fails_takes_those_that_are_stuck_with_it(toys):
    with pytest.raises(MixtuneError, match="no fault, got ValueError: bad"):
        toys(f"if rank == 0: raise ValueError('bad')\n    {STUCK}")


def test_damage_that_a_rank_finds_has_its_own_status(toys):
    with pytest.raises(MixtuneError, match=r"train\.safetensors: expected a pack, got none") as caught:
        toys('raise errors.DamagedRun("train.safetensors", "a pack", "none", "Prepare it again.")')
    assert caught.value.status == 2


def test_who_asks_to_stop_is_heard_by_all_ranks(toys):
    with pytest.raises(Interrupted):
        toys("while not stop(): time.sleep(0.01)\n    raise errors.Interrupted()", stop=lambda: True)


@on_linux
def test_ranks_see_that_their_parent_was_killed(tmp_path, model_dirs):
    shared = write_prepared(tmp_path / "prepared", model_dirs("llama"), ranks=2, untuned=True)
    stuck = TOY.format(what=STUCK)
    do = f"from pathlib import Path; from mixtune_worker import team; team.COMMAND[1:] = ['-c', {stuck!r}]"
    script = f"{do}; team.do(Path({str(shared)!r}), Path({str(tmp_path)!r}), lambda: False)"
    parent = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(SOURCE)}
    )
    parent.stdout.readline()
    ranks = children_of(parent.pid)
    assert len(ranks) == 2
    parent.kill()
    parent.wait()
    wait_until_gone(ranks)


CROWDED = """
import gc, sys, torch
sys.argv = ["mixtune_worker", "rank"]
from mixtune_worker import __main__, model
nll = model.Model.nll
def crowded(self, pack, token_keys=None):
    if torch.is_grad_enabled() and torch.distributed.get_rank() == 1 and len(pack.ids) > 24:
        raise torch.OutOfMemoryError("CUDA out of memory")
    return nll(self, pack, token_keys)
model.Model.nll = crowded
model.HEAD_ROWS = 3
divide = model.divide
def divided(net, *rest, **more):
    divide(net, *rest, **more)
    gc.collect()
    whole = ((40, 24), (24, 40), (61, 24))
    tensors = [x for x in gc.get_objects() if type(x) in (torch.Tensor, torch.nn.Parameter)]
    left = [x.shape for x in tensors if x.shape in whole and not x.is_meta]
    assert left == [], left
model.divide = divided
__main__.main()
"""


def test_memory_that_runs_out_on_one_rank_makes_all_begin_anew_with_more_thrift(tmp_path, model_dirs, monkeypatch):
    train = {"method": "lora", "learning_rate": 0.005, "save_steps": 1}
    alone, one, shared, two = pair(tmp_path, model_dirs("llama"), train, 4)
    whole_here(alone, one)
    said = []
    monkeypatch.setattr(team, "COMMAND", [sys.executable, "-c", CROWDED])
    monkeypatch.setattr(team, "say", lambda kind, **fields: said.append({"kind": kind, **fields}))
    team.do(shared, two, never)
    expect_same(one, two, "lora", 4)
    [note] = [message["text"] for message in said if message["kind"] == "note"]
    assert note == "The device ran out of memory: packs are cut in 2 parts, and work goes on from the last checkpoint."
    assert json.loads((two / "receipt.json").read_text())["notes"] == [
        "The device ran out of memory: from step 1 on, packs are cut in 2 parts."
    ]


class Alike(Ranks):
    """One of two, of which the other says the same."""

    def any(self, flag):
        return flag

    def gather(self, value):
        return [value, value]


def test_memory_that_runs_out_in_scoring_makes_all_begin_anew(tmp_path, model_dirs, monkeypatch):
    prepared = Prepared(write_prepared(tmp_path / "prepared", model_dirs("llama"), untuned=True))
    (tmp_path / "receipt.json").write_text("{}")
    model = open_model(prepared.json, CPU, None)
    asker = Asker(prepared, tmp_path, model, 0, never, Alike(0, 2))

    def full(_pack):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(model, "nll", full)
    with pytest.raises(Again, match="in scoring: packs are cut in 2 parts") as caught:
        asker.run()
    assert caught.value.task == {"parts": 2}
    monkeypatch.undo()
    Asker(prepared, tmp_path, model, 0, never, Alike(0, 2), **caught.value.task).run()
    assert json.loads((tmp_path / "receipt.json").read_text())["notes"] == [caught.value.text]


@pytest.mark.parametrize("ranks", [1, 2, 3, 8])
@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("by_group", [False, True])
def test_every_entry_has_its_turn_once_in_order_and_all_ranks_have_as_many(ranks, parts, by_group):
    rng = np.random.default_rng(ranks)
    lengths = rng.integers(1, 9, 40)
    groups = [[0, 0, 0], [0, 1, 1, 1, 1, 2], [0] * 5]  # numbered anew in each pack
    cuts = np.cumsum([0, *map(len, groups)])
    packs = [
        Entries(np.arange(a, b), rng.integers(0, 40, b - a), np.array(group, np.int32), np.full(b - a, 2, np.int32))
        for a, b, group in zip(cuts, cuts[1:], groups, strict=False)
    ]
    dealt = [turns(packs, rank, ranks, parts, lambda item: int(lengths[item]), by_group) for rank in range(ranks)]
    assert len({len(of_rank) for of_rank in dealt}) == 1
    real = [turn.entries for of_rank in dealt for turn in of_rank if turn.counts]
    np.testing.assert_array_equal(np.concatenate([entries.index for entries in real]), np.arange(cuts[-1]))
    for entries in real:
        pack = np.searchsorted(cuts, entries.index, "right")
        same = np.diff(entries.group) == 0
        assert not (same & (np.diff(pack) > 0)).any()
    for of_rank in dealt[1:]:
        assert [turn.num_together for turn in of_rank] == [turn.num_together for turn in dealt[0]]
    assert sum(turn.num_together for turn in dealt[0]) == cuts[-1]
    if by_group:
        whole = {(p, g): group.count(g) for p, group in enumerate(groups, 1) for g in set(group)}
        for entries in real:
            pack = np.searchsorted(cuts, entries.index, "right")
            for p in set(pack.tolist()):
                of_pack = entries.group[pack == p].astype(np.int64) % 2**32
                assert all((of_pack == g).sum() == whole[p, g] for g in set(of_pack.tolist()))


def test_ranks_have_about_as_many_tokens():
    lengths = np.random.default_rng(0).integers(20, 200, 300)
    packs = [
        Entries(np.arange(a, a + 60), np.arange(a, a + 60), np.arange(60), np.zeros(60, np.int32))
        for a in range(0, 300, 60)
    ]
    tokens = [
        sum(lengths[turn.entries.item].sum() for turn in turns(packs, rank, 4, 1, lambda item: int(lengths[item])))
        for rank in range(4)
    ]
    assert max(tokens) / min(tokens) < 1.05
