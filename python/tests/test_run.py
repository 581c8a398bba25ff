"""The worker as a process and its run directory: resumed, interrupted, out of memory, given bad input."""

import hashlib
import json
import shutil
import signal
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import LABELS, first_values, make_questions, plain_model, run_worker, start_worker, write_prepared
from mixtune_worker import checkpoint, files, messages
from mixtune_worker.early_stopping import has_stopped
from mixtune_worker.errors import DamagedRun, Interrupted, MixtuneError
from mixtune_worker.memory import Thrift
from mixtune_worker.model import open_model
from mixtune_worker.prepared import Prepared
from mixtune_worker.questions import Asker
from mixtune_worker.run_dir import Status, read_metrics, write_receipt
from mixtune_worker.train import notes_of
from safetensors.numpy import load_file
from test_numerics import CPU, loss_alone, never, training_of
from worker_process import SOURCE

SCHEMAS = SOURCE.parent / "protocol"


def lines_of(run_dir: Path):
    """metrics.jsonl without what two runs never share."""
    lines = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def index_of(run_dir: Path):
    return json.loads((run_dir / "checkpoints" / "last.json").read_text())


def run_of(folder: Path, prepared: Path, lora: bool) -> Path:
    folder.mkdir()
    if lora:
        first_values(folder, prepared)
    return folder


@pytest.fixture(scope="session", params=["lora", "full"])
def thirty(request, tmp_path_factory, model_dirs):
    """A prepared run of 30 steps, saved every 5, and a run directory of it that was done in one go."""
    lora = request.param == "lora"
    tmp_path = tmp_path_factory.mktemp(request.param)
    prepared = write_prepared(
        tmp_path / "prepared",
        model_dirs("llama"),
        {"method": request.param, "save_steps": 5, "eval_steps": 4},
        num_steps=30,
    )
    whole = run_of(tmp_path / "whole", prepared, lora)
    said, complaints, status = run_worker("run", prepared, whole)
    assert (said[-1], status, complaints) == ({"kind": "outcome", "state": "done"}, 0, "")
    return prepared, whole, lora


def read_until(child, step: int):
    for line in child.stdout:
        message = json.loads(line)
        if message.get("phase") == "train" and message["done"] >= step:
            return


def test_a_run_killed_and_resumed_ends_with_the_same_bytes(thirty, tmp_path):
    prepared, whole, lora = thirty
    again = run_of(tmp_path / "again", prepared, lora)
    for step in (7, 13):
        child = start_worker("run", prepared, again)
        read_until(child, step)
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert not (again / "receipt.json").exists()
    with open(again / "metrics.jsonl", "a") as log:
        log.write('{"step":9')
    _, complaints, status = run_worker("run", prepared, again)
    assert (status, complaints) == (0, "")
    assert index_of(again) == index_of(whole)
    assert lines_of(again) == lines_of(whole)
    assert [line["step"] for line in lines_of(again)] == list(range(1, 31))
    for name in ("label_logprobs", "gold_logprobs", "text_ids"):
        one, other = (load_file(folder / "answers" / "fpb.test.safetensors")[name] for folder in (whole, again))
        np.testing.assert_array_equal(one, other)
    receipt = json.loads((again / "receipt.json").read_text())
    assert receipt["cost"]["tokens"] == sum(line["tokens"] for line in lines_of(whole))
    assert "notes" not in receipt
    assert set(receipt["versions"]) >= {"python", "torch", "transformers", "peft", "device"}


@pytest.mark.parametrize("thirty", ["lora"], indirect=True)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, "end of standard input"])
def test_who_asks_to_stop_gets_a_checkpoint_and_can_go_on(thirty, tmp_path, how):
    prepared, whole, lora = thirty
    again = run_of(tmp_path / "again", prepared, lora)
    child = start_worker("run", prepared, again)
    read_until(child, 3)
    if isinstance(how, str):
        child.stdin.close()
    else:
        child.send_signal(how)
    said = [json.loads(line) for line in child.stdout]
    assert (child.wait(), child.stderr.read(), said[-1]) == (0, "", {"kind": "outcome", "state": "interrupted"})
    stopped = index_of(again)["step"]
    assert 3 <= stopped < 30 and len(lines_of(again)) == stopped
    assert run_worker("run", prepared, again)[2] == 0
    assert index_of(again) == index_of(whole)


def test_who_asks_to_stop_while_the_worker_begins_is_heard(tmp_path, model_dirs):
    prepared = write_prepared(tmp_path / "prepared", model_dirs("llama"))
    first_values(tmp_path, prepared)
    child = start_worker("run", prepared, tmp_path)
    child.stdin.close()
    said = [json.loads(line) for line in child.stdout]
    assert (child.wait(), child.stderr.read(), said[-1]) == (0, "", {"kind": "outcome", "state": "interrupted"})
    assert index_of(tmp_path)["step"] == 1


def test_flops_and_what_is_said_follow_the_protocol(thirty, tmp_path, model_dirs):
    prepared, done, lora = thirty
    whole = shutil.copytree(done, tmp_path / "whole")
    block = sum(
        p.numel() for name, p in plain_model(model_dirs("llama")).named_parameters() if name.startswith("model.layers.")
    )
    cost = json.loads((whole / "receipt.json").read_text())["cost"]
    assert cost["flops"] == cost["tokens"] * block * (4 if lora else 6)
    assert json.loads((whole / "status.json").read_text())["state"] == "running"
    # a second call finds everything done and answered
    made = (whole / "answers" / "fpb.test.safetensors").stat().st_mtime_ns
    said, _, status = run_worker("run", prepared, whole)
    assert status == 0 and not [m for m in said if m.get("phase") in ("train", "eval") or "opens_test" in m]
    assert (whole / "answers" / "fpb.test.safetensors").stat().st_mtime_ns == made
    # other answers are not taken for these
    (whole / "answers" / "fpb.test.safetensors").unlink()
    said, _, _ = run_worker("run", prepared, whole)
    assert [m["opens_test"] for m in said if "opens_test" in m] == [["fpb"]]
    assert said[-2]["done"] == said[-2]["total"] == 18
    if not (SCHEMAS / "message.schema.json").exists():
        pytest.skip("protocol/message.schema.json is not there")
    from jsonschema import validate

    for message in said:
        validate(message, json.loads((SCHEMAS / "message.schema.json").read_text()))


@pytest.mark.skipif(not SCHEMAS.exists(), reason="protocol/ is not there")
@pytest.mark.parametrize("thirty", ["lora"], indirect=True)
def test_records_of_a_run_directory_are_as_the_published_schemas_say(thirty, tmp_path, model_dirs, monkeypatch):
    _, whole, _ = thirty
    assert check_records(whole) == 34  # status, receipt, last, best and a line a step
    # with all that a run may have besides: a device without room for whole packs, and notes of it
    prepared = write_prepared(tmp_path / "prepared", model_dirs("llama"), {"evaluate": "best"})
    first_values(tmp_path, prepared)
    training = training_of(prepared, tmp_path)
    crowded(monkeypatch, training.model, 30, after=1)
    training.run()
    history = read_metrics(tmp_path)
    assert "parts" in history[-1] and "best" in index_of(tmp_path)
    write_receipt(tmp_path, CPU, 1, 2**20, 7, 1, 6, notes_of(history))
    with Status(tmp_path) as status:
        status.at(4, 4)
    assert check_records(tmp_path) == 4 + len(history)


def check_records(folder: Path) -> int:
    """Compares records with their schemas, which here accept no unknown members. Returns the number of records."""
    from jsonschema import validate

    names = {
        "status": "status",
        "receipt": "receipt",
        "checkpoints/last": "checkpoints",
        "checkpoints/best": "checkpoints",
    }
    there = {folder / f"{file}.json": name for file, name in names.items() if (folder / f"{file}.json").exists()}
    records = [(name, json.loads(path.read_text())) for path, name in there.items()]
    records += [("metrics", json.loads(line)) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    for name, record in records:
        schema = (SCHEMAS / "run-dir" / f"{name}.schema.json").read_text()
        validate(record, json.loads(schema.replace('"additionalProperties": {}', '"additionalProperties": false')))
    return len(records)


def test_the_schema_is_the_one_that_typescript_generates():
    if not (SCHEMAS / "prepared.schema.json").exists():
        pytest.skip("protocol/prepared.schema.json is not there")
    copy = SOURCE / "mixtune_worker" / "prepared.schema.json"
    assert copy.read_bytes() == (SCHEMAS / "prepared.schema.json").read_bytes()


def test_the_adapter_is_one_that_peft_loads(tmp_path, model_dirs):
    from peft import PeftModel

    prepared = write_prepared(tmp_path / "prepared", model_dirs("llama"))
    first_values(tmp_path, prepared)
    assert run_worker("run", prepared, tmp_path)[2] == 0
    loaded = PeftModel.from_pretrained(plain_model(model_dirs("llama")), tmp_path / "checkpoints" / "step-4").eval()
    answers = load_file(tmp_path / "answers" / "fpb.test.safetensors")
    with torch.no_grad():
        expected = [
            [-loss_alone(loaded, prompt, label, "answer").item() for label in LABELS] for prompt, _ in make_questions()
        ]
    np.testing.assert_allclose(answers["label_logprobs"], expected, rtol=2e-5)


def test_evaluate_best_asks_the_best_checkpoint(tmp_path, model_dirs):
    train = {"evaluate": "best", "save_steps": 100}
    prepared = write_prepared(tmp_path / "prepared", model_dirs("llama"), train)
    first_values(tmp_path, prepared)
    training_of(prepared, tmp_path).run()
    index = index_of(tmp_path)
    losses = [line["dev_loss"]["fpb"] for line in lines_of(tmp_path) if "dev_loss" in line]
    best = 2 * (losses.index(min(losses)) + 1)
    assert index["step"] == 4 and index["best"]["step"] == best < 4
    assert json.loads((tmp_path / "checkpoints" / "best.json").read_text()) == index["best"]
    assert sorted(p.name for p in (tmp_path / "checkpoints").glob("step-*")) == [f"step-{best}", "step-4"]
    (tmp_path / "receipt.json").write_text("{}")
    assert run_worker("run", prepared, tmp_path)[2] == 0
    from safetensors import safe_open

    with safe_open(tmp_path / "answers" / "fpb.test.safetensors", "np") as file:
        assert file.metadata()["step"] == str(best)


def test_a_run_stops_early_and_is_done(tmp_path, model_dirs):
    train = {"learning_rate": 5.0, "eval_steps": 1, "early_stopping_patience": 2}
    prepared = write_prepared(tmp_path / "prepared", model_dirs("llama"), train, num_steps=12)
    first_values(tmp_path, prepared)
    training_of(prepared, tmp_path).run()
    losses = [line["dev_loss"]["fpb"] for line in lines_of(tmp_path)]
    assert len(losses) < 12 and has_stopped(losses, 2) and not has_stopped(losses[:-1], 2)
    assert index_of(tmp_path)["step"] == len(losses)


def crowded(monkeypatch, model, limit: int, after: int = 0):
    """A device with room for packs of `limit` tokens, once `after` packs went through."""
    plain, calls = model.nll, []

    def nll(pack, token_keys=None):
        calls.append(len(pack.ids))
        if len(calls) > after and len(pack.ids) > limit:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return plain(pack, token_keys)

    monkeypatch.setattr(model, "nll", nll)
    return calls


@pytest.mark.parametrize("method,packing", [("lora", "isolated"), ("full", "isolated"), ("full", "contaminated")])
@pytest.mark.parametrize("after", [0, 1, 7])
def test_without_memory_packs_are_halved_and_the_loss_is_the_same(
    tmp_path, model_dirs, monkeypatch, method, packing, after
):
    train = {"method": method, "packing": packing, "save_steps": 2}
    steps = [[[[0, 1], [2], [3, 4]]], [[[5, 6], [7], [8]], [[9]]]]
    prepared = write_prepared(tmp_path / "prepared", model_dirs("llama"), train, num_steps=6, steps=steps, dev=False)
    runs = [run_of(tmp_path / name, prepared, method == "lora") for name in ("roomy", "tight")]
    training_of(prepared, runs[0]).run()
    tight = training_of(prepared, runs[1])
    crowded(monkeypatch, tight.model, 30, after)
    tight.run()
    one, other = (lines_of(run_dir) for run_dir in runs)
    assert [line["step"] for line in other] == list(range(1, 7))
    assert {line["step"]: line["parts"] for line in other if "parts" in line}
    for a, b in zip(one, other, strict=True):
        assert b["loss"] == pytest.approx(a["loss"], rel=1e-4) and b["tokens"] == a["tokens"]
    first = next(line["step"] for line in other if "parts" in line)
    assert first == (5 if after == 7 else 1)
    notes = notes_of(read_metrics(runs[1]))
    assert notes and f"from step {first} on" in notes[0] and notes_of(read_metrics(runs[0])) == []


def test_memory_for_one_example_must_be_there(tmp_path, model_dirs, monkeypatch):
    prepared = write_prepared(tmp_path / "prepared", model_dirs("llama"), dev=False)
    first_values(tmp_path, prepared)
    training = training_of(prepared, tmp_path)
    crowded(monkeypatch, training.model, 2)
    with pytest.raises(MixtuneError, match="room for one example"):
        training.run()


def test_packs_are_cut_before_blocks_are_computed_twice():
    ladder = [Thrift()]
    while len(ladder) < 6:
        ladder.append(ladder[-1].more(8))
    assert [(rung.parts, rung.recompute) for rung in ladder] == [
        (1, False),
        (2, False),
        (4, False),
        (1, True),
        (2, True),
        (4, True),
    ]
    assert Thrift().more(1) == Thrift(1, True)
    with pytest.raises(MixtuneError, match="room for one example"):
        Thrift(8, True).more(8)


def test_scoring_without_memory_gives_the_same_answers_and_a_note(tmp_path, model_dirs, monkeypatch):
    prepared = Prepared(write_prepared(tmp_path / "prepared", model_dirs("llama"), untuned=True))
    answers = []
    for name, limit in (("roomy", 10**6), ("tight", 45)):
        run_dir = tmp_path / name
        run_dir.mkdir()
        (run_dir / "receipt.json").write_text("{}")
        model = open_model(prepared.json, CPU, None)
        crowded(monkeypatch, model, limit)
        write_on = model.write_on
        rows_limit = 6 if name == "roomy" else 2

        def tight_write(ids, *rest, write_on=write_on, rows_limit=rows_limit):
            if len(ids) > rows_limit:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return write_on(ids, *rest)

        monkeypatch.setattr(model, "write_on", tight_write)
        Asker(prepared, run_dir, model, 0, never).run()
        answers.append(load_file(run_dir / "answers" / "fpb.test.safetensors"))
    for name, expected in answers[0].items():
        np.testing.assert_allclose(answers[1][name], expected, rtol=1e-5)
    assert json.loads((tmp_path / "tight" / "receipt.json").read_text())["notes"]
    assert json.loads((tmp_path / "roomy" / "receipt.json").read_text()) == {}


def test_a_stop_between_packs_of_a_question_keeps_what_is_whole(tmp_path, model_dirs):
    prepared = Prepared(write_prepared(tmp_path / "prepared", model_dirs("llama"), untuned=True))
    asker = Asker(prepared, tmp_path, open_model(prepared.json, CPU, None), 0, lambda: True)
    with pytest.raises(Interrupted):
        asker.run()
    assert not (tmp_path / "answers" / "fpb.test.safetensors").exists()


@pytest.mark.parametrize("fatal", range(1, 8))
def test_a_commit_that_dies_anywhere_leaves_whole_checkpoints(tmp_path, monkeypatch, fatal):
    def write(number):
        def fill(folder: Path):
            (folder / "a.bin").write_bytes(bytes([number]))

        return fill

    checkpoint.commit(tmp_path, 1, write(1), True, 0.5)
    checkpoint.commit(tmp_path, 2, write(2), False, None)
    count = 0

    class Killed(BaseException):
        pass

    def dying(change):
        def wrapped(*arguments, **named):
            nonlocal count
            count += 1
            if count == fatal:
                raise Killed
            return change(*arguments, **named)

        return wrapped

    for module, name in (
        (checkpoint.os, "replace"),
        (checkpoint, "write_json"),
        (checkpoint, "remove_quietly"),
        (checkpoint, "sync_folder"),
    ):
        monkeypatch.setattr(module, name, dying(getattr(module, name)))
    with suppress(Killed):
        checkpoint.commit(tmp_path, 3, write(3), True, 0.25)
    monkeypatch.undo()
    last, best = checkpoint.read_checkpoint(tmp_path), checkpoint.read_checkpoint(tmp_path, "best")
    assert last.step in (2, 3) and best.step == (1 if last.step == 2 else 3)
    checkpoint.commit(tmp_path, 4, write(4), False, None)
    kept = sorted(p.name for p in (tmp_path / "checkpoints").iterdir() if "step" in p.name)
    assert kept == sorted([f"step-{best.step}", "step-4"])


def test_a_step_that_is_committed_twice_must_be_the_same(tmp_path):
    checkpoint.commit(tmp_path, 1, lambda folder: (folder / "a.bin").write_bytes(b"1"), False, None)
    checkpoint.commit(tmp_path, 1, lambda folder: (folder / "a.bin").write_bytes(b"1"), False, None)
    with pytest.raises(MixtuneError, match="the same files"):
        checkpoint.commit(tmp_path, 1, lambda folder: (folder / "a.bin").write_bytes(b"2"), False, None)


@pytest.mark.parametrize("thirty", ["full"], indirect=True)
def test_a_damaged_checkpoint_is_named(thirty, tmp_path):
    prepared, done, lora = thirty
    whole = shutil.copytree(done, tmp_path / "whole")
    folder = whole / "checkpoints" / index_of(whole)["folder"]
    path = folder / ("adapter_model.safetensors" if lora else "model.safetensors")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    shutil.rmtree(whole / "answers")
    said, complaints, status = run_worker("run", prepared, whole)
    assert status == 1 and said[-1]["place"] == str(path) and "Traceback" not in complaints


def test_lora_without_first_values_is_refused(tmp_path, model_dirs):
    prepared = write_prepared(tmp_path / "prepared", model_dirs("llama"))
    with pytest.raises(DamagedRun, match="first values"):
        training_of(prepared, tmp_path).run()


def test_a_loss_that_is_no_number_names_its_items(tmp_path, model_dirs):
    prepared = write_prepared(tmp_path / "prepared", model_dirs("llama"))
    first_values(tmp_path, prepared)
    training = training_of(prepared, tmp_path)
    training.model.net.model.embed_tokens.weight[3] = torch.nan
    with pytest.raises(MixtuneError, match=r"training step 1, items fpb 0, other 1"):
        training.run()
    assert index_of(tmp_path)["step"] == 0


def change_json(**changes):
    def change(folder: Path):
        path = folder / "prepared.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


def change_tensors(file: str, **changes):
    """Tensors changed and digests put right: what a faulty writer would leave."""

    def change(folder: Path):
        from safetensors.numpy import save_file

        tensors = load_file(folder / file)
        for name, of in changes.items():
            tensors[name] = of(tensors[name].copy())
        save_file(tensors, folder / file)
        content = json.loads((folder / "prepared.json").read_text())
        content["files"][file] = hashlib.sha256((folder / file).read_bytes()).hexdigest()
        (folder / "prepared.json").write_text(json.dumps(content))

    return change


def at(index: int, value: float):
    def change(array):
        array[index] = value
        return array

    return change


TEST_FILE = "fpb.test.safetensors"
DAMAGES = {
    "no prepared.json": (lambda folder: (folder / "prepared.json").unlink(), "prepared.json"),
    "half of prepared.json": (lambda folder: (folder / "prepared.json").write_text('{"format": 1'), "prepared.json"),
    "a later format": (change_json(format=2), "format"),
    "a key of tomorrow": (change_json(hue="red"), "hue"),
    "no spec": (change_json(spec=None), "spec"),
    "a digest that is missing": (change_json(files={}), "files"),
    "a flipped bit": (
        lambda folder: (folder / "train.safetensors").write_bytes(
            (folder / "train.safetensors").read_bytes()[:-1] + b"\7"
        ),
        "SHA-256",
    ),
    "a missing file": (lambda folder: (folder / "train.safetensors").unlink(), "train.safetensors"),
    "a token that is none": (change_tensors("train.safetensors", answer_ids=at(0, 61)), "answer_ids"),
    "a negative token": (change_tensors("train.safetensors", prompt_ids=at(0, -1)), "prompt_ids"),
    "falling offsets": (change_tensors("train.safetensors", prompt_offsets=at(1, 99)), "prompt_offsets"),
    "an item that is none": (change_tensors("train.safetensors", entry_item=at(0, 12)), "entry_item"),
    "a prefix that is not shared": (change_tensors("train.safetensors", entry_shared=at(0, 5)), "entry_shared"),
    "a weight that is no number": (change_tensors("train.safetensors", entry_weight=at(0, np.nan)), "entry_weight"),
    "a task that is none": (change_tensors("train.safetensors", item_task=at(0, 2)), "item_task"),
    "weights of another type": (
        change_tensors("train.safetensors", entry_weight=lambda x: x.astype(np.float32)),
        "entry_weight",
    ),
    "too few steps": (
        change_tensors("train.safetensors", step_offsets=lambda x: x[[0, *range(2, len(x))]].copy()),
        "step_offsets",
    ),
    "an item asked twice": (change_tensors(TEST_FILE, labels_entry_item=at(0, 3)), "labels_entry_item"),
    "another model": (lambda folder: rename_parameter(folder), "trained tensor"),
    "no model": (change_json(model_dir="/nowhere/at/all"), "/nowhere/at/all"),
}


def rename_parameter(folder: Path):
    content = json.loads((folder / "prepared.json").read_text())
    content["train"]["parameters"][0]["shape"][0] += 1
    (folder / "prepared.json").write_text(json.dumps(content))


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_prepared_run_is_refused_by_name(tmp_path, model_dirs, damage):
    prepared = write_prepared(tmp_path / "prepared", model_dirs("llama"), dev=False)
    first_values(tmp_path, prepared)
    spoil, named = DAMAGES[damage]
    spoil(prepared)
    with pytest.raises(DamagedRun) as caught:
        training = training_with_vocabulary(prepared, tmp_path)
        for question in training.prepared.json["questions"]:
            training.prepared.question(question)
    assert named in str(caught.value) and caught.value.status == 2


def training_with_vocabulary(prepared: Path, run_dir: Path):
    from mixtune_worker.train import Training

    read = Prepared(prepared)
    shapes = {p["name"]: p["shape"] for p in read.json["train"]["parameters"]}
    model = open_model(read.json, CPU, shapes)
    read.vocab_size = model.vocab_size
    return Training(read, run_dir, model, never, lambda *_: None)


@pytest.mark.parametrize("damage", ["a later format", "a token that is none", "no model"])
def test_a_damaged_prepared_run_ends_the_process_with_status_2_and_no_trace(tmp_path, model_dirs, damage):
    prepared = write_prepared(tmp_path / "prepared", model_dirs("llama"))
    first_values(tmp_path, prepared)
    DAMAGES[damage][0](prepared)
    said, complaints, status = run_worker("run", prepared, tmp_path)
    assert status == 2 and said[-1]["state"] == "failed"
    assert set(said[-1]) == {"kind", "state", "place", "expected", "got", "remedy"}
    assert "Traceback" not in complaints and said[-1]["remedy"] in complaints


def test_code_that_comes_with_a_model_is_never_run(tmp_path, model_dirs):
    folder = tmp_path / "model"
    shutil.copytree(model_dirs("llama"), folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "model_type": "homemade",
        "auto_map": {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    prepared = write_prepared(tmp_path / "prepared", folder, shaped_as=model_dirs("llama"))
    first_values(tmp_path, prepared)
    said, _, status = run_worker("run", prepared, tmp_path)
    assert status == 2 and said[-1]["place"] == str(folder) and not (tmp_path / "ran").exists()


def test_weights_in_pickle_are_not_read(tmp_path, model_dirs):
    folder = tmp_path / "model"
    folder.mkdir()
    shutil.copy(model_dirs("llama") / "config.json", folder)
    torch.save(plain_model(model_dirs("llama")).state_dict(), folder / "pytorch_model.bin")
    prepared = write_prepared(tmp_path / "prepared", folder, shaped_as=model_dirs("llama"))
    with pytest.raises(DamagedRun, match="safetensors"):
        training_of(prepared, tmp_path)


def test_a_device_that_is_not_there_is_named(tmp_path, model_dirs):
    if torch.cuda.is_available():
        pytest.skip("a CUDA device is there")
    prepared = write_prepared(tmp_path / "prepared", model_dirs("llama"), device="cuda")
    said, complaints, status = run_worker("run", prepared, tmp_path)
    assert status == 1 and said[-1]["place"] == "device" and "Traceback" not in complaints


def test_a_full_disk_is_an_error_for_people(tmp_path):
    with pytest.raises(MixtuneError, match="room and permission"):
        files.write_whole(tmp_path / "no" / "such" / "folder", b"x")


def test_status_beats_from_a_thread(tmp_path, monkeypatch):
    import time

    from mixtune_worker import run_dir

    monkeypatch.setattr(run_dir, "BEAT_SECONDS", 0.01)
    with Status(tmp_path) as status:
        status.at(3, 9)
        written = {}
        for _ in range(500):
            written = json.loads((tmp_path / "status.json").read_text())
            if written.get("step") == 3:
                break
            time.sleep(0.01)
    assert written.keys() == {"state", "pid", "host", "started", "beat", "step", "num_steps"}
    assert written["beat"] > written["started"]


def test_numbers_that_are_not_finite_are_left_out_of_their_object():
    assert messages.dumps({"a": float("nan"), "b": [1, {"c": float("inf")}]}) == '{"b":[1,{}]}'


def test_info_is_one_line_and_names_a_package_that_is_too_old(monkeypatch, capsys):
    from mixtune_worker import __main__ as program
    from mixtune_worker import packages

    assert program.info() == 0
    about = json.loads(capsys.readouterr().out)
    assert about.keys() == {"python", "torch", "transformers", "peft", "device", "device_name"}
    monkeypatch.setitem(packages.NEEDED, "peft", "99.1")
    assert program.info() == 1
    error = json.loads(capsys.readouterr().out)
    assert "peft" in error["place"] and error["expected"] == "99.1 or newer"
    monkeypatch.setitem(packages.NEEDED, "no-such-package-here", "1")
    monkeypatch.delitem(packages.NEEDED, "peft")
    program.info()
    assert json.loads(capsys.readouterr().out)["got"] == "no such package"


def test_the_versions_that_are_asked_for_are_those_of_requirements_txt():
    from mixtune_worker.packages import FOR_4_BITS, NEEDED

    lines = (SOURCE / "requirements.txt").read_text().splitlines()
    assert dict(line.split(";")[0].split(">=") for line in lines) == NEEDED | FOR_4_BITS


def test_a_machine_counts_its_gpus_and_the_smallest_memory(monkeypatch):
    from types import SimpleNamespace

    from mixtune_worker.__main__ import gpus

    sizes = [80, 40, 80]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(sizes))
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: SimpleNamespace(total_memory=sizes[index]))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "the first")
    assert gpus() == {"device_name": "the first", "device_count": 3, "device_memory": 40}
