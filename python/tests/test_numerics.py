"""Packs against transformers and PEFT called on each example alone."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import (
    FAMILIES,
    LABELS,
    STEPS,
    TRAIN,
    earlier_answer,
    example_key,
    first_values,
    kept,
    linears,
    make_items,
    make_model,
    make_questions,
    num_rows,
    plain_model,
    write_prepared,
)
from mixtune_worker.attention import PackView, RowsView, attend
from mixtune_worker.model import open_model
from mixtune_worker.packs import path_sums, tree_of
from mixtune_worker.prepared import Prepared
from mixtune_worker.questions import Asker, likeliest
from mixtune_worker.train import Training, sum_of_squares
from safetensors.numpy import load_file

CPU = torch.device("cpu")


def never() -> bool:
    return False


def training_of(prepared: Path, run_dir: Path) -> Training:
    read = Prepared(prepared)
    shapes = {p["name"]: p["shape"] for p in read.json["train"]["parameters"]}
    model = open_model(read.json, CPU, shapes)
    return Training(read, run_dir, model, never, lambda *_: None)


def peft_model(model_dir: Path, train, weights, plain=None):
    """The oracle, with gradients."""
    from peft import LoraConfig, get_peft_model, set_peft_model_state_dict

    plain = plain or plain_model(model_dir)
    if train["method"] == "full":
        if weights:
            plain.load_state_dict({name: torch.from_numpy(x) for name, x in weights.items()}, strict=False)
        return plain
    config = LoraConfig(
        r=train["lora_rank"],
        lora_alpha=train["lora_alpha"],
        target_modules=linears(plain),
        task_type="CAUSAL_LM",
        use_dora=train.get("use_dora", False),
    )
    tuned = get_peft_model(plain, config)
    set_peft_model_state_dict(tuned, {name: torch.from_numpy(x) for name, x in weights.items()})
    return tuned.eval()


def method_of(name):
    return {"method": "lora", "use_dora": True} if name == "dora" else {"method": name}


def gradients_of(model):
    return {saved_name(name): p.grad for name, p in model.named_parameters() if p.grad is not None}


def saved_name(name):
    return name.replace(".lora_magnitude_vector.default.weight", ".lora_magnitude_vector").replace(".default.", ".")


def loss_alone(model, prompt, answer, loss_on):
    """Sum of nll over an example's loss rows, by the library's own loss."""
    ids = torch.tensor([[*prompt, *answer]])
    labels = ids.clone()
    if loss_on != "all":
        labels[0, : len(prompt)] = -100
        if earlier := earlier_answer(prompt, loss_on):
            labels[0, slice(*earlier)] = ids[0, slice(*earlier)]
    return model(input_ids=ids, labels=labels).loss * (labels[0, 1:] != -100).sum()


@pytest.mark.parametrize("method", ["lora", "dora", "full"])
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "packing,loss_on,prompt",
    [
        ("isolated", "answer", True),
        ("isolated", "all_answers", True),
        ("none", "all", True),
        ("isolated", "answer", False),
    ],
)
def test_a_step_of_packs_has_the_loss_and_gradient_of_its_examples_alone(
    tmp_path, model_dirs, family, method, packing, loss_on, prompt
):
    train = TRAIN | method_of(method) | {"packing": packing, "loss_on": loss_on}
    prepared = write_prepared(tmp_path / "prepared", model_dirs(family), train, prompt=prompt)
    weights = {} if method == "full" else first_values(tmp_path, prepared)
    training = training_of(prepared, tmp_path)
    training.model.load({n: torch.from_numpy(x) for n, x in weights.items()}, tmp_path) if weights else None
    optimizer = training._optimizer()
    training.train["max_grad_norm"] = 0
    line = training._step(optimizer, 0)

    oracle = peft_model(model_dirs(family), train, weights)
    items = make_items(12, 1, prompt)
    of = [i for pack in STEPS[0] for group in pack for i in group]
    rows = sum(num_rows(items[i], loss_on) for i in of)
    loss = sum(loss_alone(oracle, *items[i], loss_on) for i in of) / rows
    loss.backward()
    assert line["loss"] == pytest.approx(loss.item(), rel=2e-6)
    assert line["tokens"] == sum(len(p) + len(a) for p, a in (items[i] for i in of))
    expected = gradients_of(oracle)
    assert set(training.model.trained) == set(expected)
    for name, parameter in training.model.trained.items():
        torch.testing.assert_close(
            parameter.grad, expected[name], rtol=1e-4, atol=2e-6, msg=lambda m, name=name: f"{name}: {m}"
        )
    even = [i for i in of if i % 2 == 0]
    mean = sum(loss_alone(oracle, *items[i], loss_on) for i in even).item() / sum(
        num_rows(items[i], loss_on) for i in even
    )
    assert line["loss_per_task"]["fpb"] == pytest.approx(mean, rel=2e-6)


class Masked(torch.nn.Module):
    """In place of an adapter's dropout: leaves out what it should of the example at hand."""

    def __init__(self, module, rate):
        super().__init__()
        self.module, self.rate, self.example = module, rate, None

    def forward(self, x):
        mask = [
            [kept(self.example, t, self.module, f, self.rate) for f in range(x.shape[-1])] for t in range(x.shape[-2])
        ]
        return x * torch.tensor(mask) / (1 - self.rate)


@pytest.mark.parametrize("method", ["lora", "dora"])
@pytest.mark.parametrize("family,packing", [("llama", "isolated"), ("qwen2", "none"), ("phi3", "isolated")])
def test_dropout_gives_what_peft_gives_with_the_same_masks(tmp_path, model_dirs, family, packing, method):
    train = TRAIN | method_of(method) | {"packing": packing, "lora_dropout": 0.3}
    prepared = write_prepared(tmp_path / "prepared", model_dirs(family), train)
    weights = first_values(tmp_path, prepared)
    training = training_of(prepared, tmp_path)
    training.model.load({n: torch.from_numpy(x) for n, x in weights.items()}, tmp_path)
    training.train["max_grad_norm"] = 0
    line = training._step(training._optimizer(), 0)

    oracle = peft_model(model_dirs(family), train, weights).train()
    adapters: dict[str, Any] = {n: m for n, m in oracle.named_modules() if hasattr(m, "lora_dropout")}
    for name, module in adapters.items():
        module.lora_dropout["default"] = Masked(name.removeprefix("base_model.model."), 0.3)
    items = make_items(12, 1)
    of = [i for pack in STEPS[0] for group in pack for i in group]
    loss = torch.zeros(())
    for entry, i in enumerate(of):
        for module in adapters.values():
            module.lora_dropout["default"].example = example_key(entry)
        loss = loss + loss_alone(oracle, *items[i], "answer") / sum(num_rows(items[i], "answer") for i in of)
    loss.backward()
    assert line["loss"] == pytest.approx(loss.item(), rel=2e-6)
    expected = gradients_of(oracle)
    for name, parameter in training.model.trained.items():
        torch.testing.assert_close(
            parameter.grad, expected[name], rtol=1e-4, atol=2e-6, msg=lambda m, name=name: f"{name}: {m}"
        )
    training._dev_losses()
    assert training.model.keys.now is None


@pytest.mark.parametrize("loss_on", ["answer", "all_answers", "all"])
@pytest.mark.parametrize("family", ["llama", "mistral", "gemma2"])
def test_concatenated_examples_see_each_other_as_one_plain_text(tmp_path, model_dirs, family, loss_on):
    train = TRAIN | {"packing": "contaminated", "loss_on": loss_on}
    prepared = write_prepared(tmp_path / "prepared", model_dirs(family), train, steps=[[[[0, 1, 2], [3, 4]]]])
    weights = first_values(tmp_path, prepared)
    training = training_of(prepared, tmp_path)
    training.model.load({n: torch.from_numpy(x) for n, x in weights.items()}, tmp_path)
    line = training._step(training._optimizer(), 0)
    oracle = peft_model(model_dirs(family), train, weights)
    items = make_items(12, 1)
    total = rows = 0
    for group in ([0, 1, 2], [3, 4]):
        ids, labels = [], []
        for i in group:
            prompt, answer = items[i]
            ids += prompt + answer
            of_prompt = [-100, *prompt[1:]] if loss_on == "all" else [-100] * len(prompt)
            if earlier := earlier_answer(prompt, loss_on):
                of_prompt[slice(*earlier)] = prompt[slice(*earlier)]
            labels += of_prompt + answer
        out = oracle(input_ids=torch.tensor([ids]), labels=torch.tensor([labels]))
        count = sum(label != -100 for label in labels[1:])
        total, rows = total + out.loss.item() * count, rows + count
    assert line["loss"] == pytest.approx(total / rows, rel=2e-6)


@pytest.mark.parametrize("method", ["lora", "dora", "full"])
def test_training_ends_with_the_weights_of_a_plain_loop_of_pytorch(tmp_path, model_dirs, method):
    train = TRAIN | method_of(method) | {"weight_decay": 0.3, "save_steps": 3}
    prepared = write_prepared(tmp_path / "prepared", model_dirs("llama"), train, num_steps=5)
    weights = {} if method == "full" else first_values(tmp_path, prepared)
    training_of(prepared, tmp_path).run()

    oracle = peft_model(model_dirs("llama"), train, weights)
    trained = [p for p in oracle.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": 0.3},
        {"params": [p for p in trained if p.ndim == 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1, betas=(0.9, 0.95), eps=1e-8)
    items = make_items(12, 1)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    for step in range(5):
        of = [i for pack in STEPS[step % 2] for group in pack for i in group]
        loss = sum(loss_alone(oracle, *items[i], "answer") for i in of) / sum(len(items[i][1]) for i in of)
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(trained, 0.5)
        for group in optimizer.param_groups:
            group["lr"] = 0.02 * 0.95**step
        optimizer.step()
        assert lines[step]["loss"] == pytest.approx(loss.item(), rel=1e-4)
        assert lines[step]["grad_norm"] == pytest.approx(norm.item(), rel=1e-3)
        if step in (1, 3, 4):
            dev = make_items(5, 2)
            with torch.no_grad():
                mean = sum(loss_alone(oracle, *item, "answer").item() for item in dev) / sum(
                    len(answer) for _, answer in dev
                )
            assert lines[step]["dev_loss"]["fpb"] == pytest.approx(mean, rel=1e-4)
    index = json.loads((tmp_path / "checkpoints" / "last.json").read_text())
    assert index["step"] == 5
    saved = load_file(
        tmp_path / "checkpoints" / "step-5" / ("model.safetensors" if method == "full" else "adapter_model.safetensors")
    )
    for name, parameter in oracle.named_parameters():
        if parameter.requires_grad:
            np.testing.assert_allclose(saved[saved_name(name)], parameter.detach().numpy(), atol=2e-4, err_msg=name)


@pytest.mark.parametrize("method", ["lora", "dora"])
def test_peft_loads_a_checkpoint_with_all_that_it_holds(tmp_path, model_dirs, method):
    from peft import PeftModel

    prepared = write_prepared(tmp_path / "prepared", model_dirs("qwen2"), method_of(method), num_steps=1)
    first_values(tmp_path, prepared)
    training = training_of(prepared, tmp_path)
    training.run()
    loaded = PeftModel.from_pretrained(plain_model(model_dirs("qwen2")), tmp_path / "checkpoints" / "step-1")
    there = {saved_name(name): p for name, p in loaded.named_parameters() if "lora_" in name}
    assert set(there) == set(training.model.trained)
    for name, parameter in training.model.trained.items():
        assert torch.equal(there[name], parameter), name


@pytest.fixture
def asked(tmp_path, model_dirs):
    """Answers of an untuned model."""

    def ask(family: str, parts: int = 1, model_dir: Path | None = None, **changes):
        prepared = Prepared(
            write_prepared(tmp_path / "prepared", model_dir or model_dirs(family), untuned=True, **changes)
        )
        asker = Asker(prepared, tmp_path, open_model(prepared.json, CPU, None), 0, never)
        asker.parts = parts
        asker.run()
        return load_file(tmp_path / "answers" / "fpb.test.safetensors")

    return ask


@pytest.mark.parametrize("family", FAMILIES)
def test_labels_and_gold_answers_score_as_one_by_one(asked, model_dirs, family):
    answers = asked(family)
    plain = plain_model(model_dirs(family))
    items = make_questions()
    with torch.no_grad():
        labels = [[-loss_alone(plain, prompt, label, "answer").item() for label in LABELS] for prompt, _ in items]
        gold = [-loss_alone(plain, prompt, answer, "answer").item() for prompt, answer in items]
    assert answers["label_logprobs"].dtype == np.float64
    np.testing.assert_allclose(answers["label_logprobs"], labels, rtol=2e-5)
    np.testing.assert_allclose(answers["gold_logprobs"], gold, rtol=2e-5)


def test_what_labels_begin_with_alike_is_fed_and_predicted_once():
    tree = tree_of([np.array(label) for label in LABELS])
    beginnings = {tuple(label[:n]) for label in LABELS for n in range(1, len(label))}
    assert len(tree.ids) == len(beginnings)
    assert len(tree.targets) == len({tuple(label[: n + 1]) for label in LABELS for n in range(len(label))})
    lengths = path_sums(np.ones(len(tree.targets)), tree.before)[tree.branch >= 0]
    assert dict(zip(tree.branch[tree.branch >= 0], lengths, strict=True)) == dict(enumerate(map(len, LABELS)))


@pytest.mark.parametrize("parts", [1, 4])
@pytest.mark.parametrize("family", FAMILIES)
def test_text_is_that_of_generate(asked, model_dirs, family, parts):
    answers = asked(family, parts)
    plain = plain_model(model_dirs(family))
    offsets = answers["text_offsets"]
    for i, (prompt, _) in enumerate(make_questions()):
        out = plain.generate(
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt)),
            do_sample=False,
            max_new_tokens=6,
            eos_token_id=[2, 30],
            pad_token_id=0,
        )
        expected = out[0, len(prompt) :].tolist()
        assert answers["text_ids"][offsets[i] : offsets[i + 1]].tolist() == expected
        assert answers["text_stopped"][i] == (0 if expected[-1] in (2, 30) else 1)


def test_text_ends_where_the_network_has_no_room(asked):
    items = make_questions()
    longest = max(len(p) + len(a) for p, a in items)
    answers = asked("llama", max_positions=longest)
    sizes = np.diff(answers["text_offsets"])
    for (prompt, _), size, stopped in zip(items, sizes, answers["text_stopped"], strict=True):
        assert size == min(6, longest - len(prompt)) or stopped == 0


def test_the_norm_of_very_many_numbers_is_as_exact_as_that_of_few():
    n = 2**24
    steps = torch.arange(n, dtype=torch.float32) / n  # each of them exact
    squares = [float(sum_of_squares(list(parts))) for parts in ([steps], steps.split(n // 3))]
    assert squares == pytest.approx([(n - 1) * (2 * n - 1) / (6 * n)] * 2, rel=1e-12)


def test_of_equal_logits_the_lower_id_is_taken():
    logits = torch.zeros(2, 50)
    logits[1, [40, 7, 9]] = 3.0
    assert likeliest(logits).tolist() == [0, 7]


def test_longrope_chooses_its_factors_by_the_longest_text_of_the_run(asked, tmp_path):
    half = 24 // 4 // 2
    rope = {
        "rope_type": "longrope",
        "rope_theta": 10000.0,
        "short_factor": [1.0] * half,
        "long_factor": [3.0] * half,
        "original_max_position_embeddings": 32,
    }
    folder = make_model(
        tmp_path / "model", "phi3", rope_parameters=rope, original_max_position_embeddings=32, sliding_window=None
    )
    answers = asked("phi3", model_dir=folder, max_positions=40)
    plain = plain_model(folder)
    for i, (prompt, answer) in enumerate(make_questions()):
        ids = torch.tensor(
            [[*prompt, *answer, *[9] * 40]]
        )  # what comes later is not seen, but makes the text a long one
        with torch.no_grad():
            logprobs = plain(input_ids=ids[:, :40]).logits.log_softmax(-1)[0]
        at = range(len(prompt) - 1, len(prompt) + len(answer) - 1)
        assert answers["gold_logprobs"][i] == pytest.approx(
            sum(logprobs[k, t].item() for k, t in zip(at, answer, strict=True)), rel=2e-5
        )


def test_bfloat16_passes_leave_what_is_trained_in_float32(tmp_path, model_dirs):
    for method in ("lora", "dora", "full"):
        run_dir = tmp_path / method
        prepared = write_prepared(
            run_dir / "prepared", model_dirs("llama"), method_of(method), num_steps=2, precision="bfloat16"
        )
        if method != "full":
            first_values(run_dir, prepared)
        exact = write_prepared(run_dir / "exact", model_dirs("llama"), method_of(method), num_steps=2)
        training, reference = training_of(prepared, run_dir), training_of(exact, run_dir)
        for one in (training, reference):
            one._resume(one._optimizer())
        frozen = {p.dtype for p in training.model.net.parameters() if not p.requires_grad}
        assert frozen == (set() if method == "full" else {torch.bfloat16})
        assert {p.dtype for p in training.model.trained.values()} == {torch.float32}
        optimizer = training._optimizer()
        loss = training._step(optimizer, 0)["loss"]
        other = reference._step(reference._optimizer(), 0)["loss"]
        assert loss != other and loss == pytest.approx(other, rel=0.03)
        assert all(state["exp_avg"].dtype == torch.float32 for state in optimizer.state.values())


@pytest.mark.parametrize("family,method", [("llama", "lora"), ("phi3", "lora"), ("phi3", "dora")])
def test_weights_of_4_bits_train_and_answer_as_what_they_stand_for(tmp_path, model_dirs, asked, family, method):
    from bitsandbytes.functional import dequantize_4bit, quantize_4bit

    run_dir = tmp_path / "run"
    train = TRAIN | method_of(method)
    prepared = write_prepared(run_dir / "prepared", model_dirs(family), train, num_steps=1, load_in_4bit=True)
    weights = first_values(run_dir, prepared)
    rounded = plain_model(model_dirs(family))
    for name in linears(rounded):
        weight = rounded.get_submodule(name).weight
        weight.data = dequantize_4bit(*quantize_4bit(weight.data, quant_type="nf4", compress_statistics=True))
    with torch.no_grad():
        untuned = [-loss_alone(rounded, *item, "answer").item() for item in make_questions()]
    num_block_weights = sum(p.numel() for name, p in rounded.named_parameters() if name.startswith("model.layers."))
    exact = peft_model(model_dirs(family), train, weights)
    oracle = peft_model(model_dirs(family), train, weights, rounded)
    training = training_of(prepared, run_dir)
    assert training.model.num_block_weights == num_block_weights
    training._resume(training._optimizer())
    training.train["max_grad_norm"] = 1e9
    line = training._step(training._optimizer(), 0)
    items = make_items(12, 1)
    of = [i for pack in STEPS[0] for group in pack for i in group]
    rows = sum(num_rows(items[i], "answer") for i in of)
    losses = [sum(loss_alone(model, *items[i], "answer") for i in of) / rows for model in (oracle, exact)]
    losses[0].backward()
    assert line["loss"] == pytest.approx(losses[0].item(), rel=2e-6)
    assert line["loss"] != pytest.approx(losses[1].item(), rel=1e-4)
    gradients = gradients_of(oracle)
    for name, parameter in training.model.trained.items():
        np.testing.assert_allclose(parameter.grad, gradients[name], rtol=2e-4, atol=2e-6)
    np.testing.assert_allclose(asked(family, load_in_4bit=True)["gold_logprobs"], untuned, rtol=1e-5)


@pytest.mark.parametrize("window,softcap", [(None, None), (5, None), (5, 2.0)])
def test_flex_attention_gives_what_the_dense_mask_gives(window, softcap):
    torch.manual_seed(0)
    length = 256
    ends = torch.full((length,), length)
    ends[40:90] = 90
    ends[90:200] = 200
    positions = torch.arange(length)
    positions[90:200] -= 50
    query, key, value = torch.randn(1, 4, length, 16), torch.randn(1, 2, length, 16), torch.randn(1, 2, length, 16)
    outs = []
    for flex in (False, True):
        view = PackView(ends, positions, flex)
        outs.append(attend(None, query, key, value, None, 0.25, window, softcap, view=view)[0])
    torch.testing.assert_close(outs[0], outs[1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("family", ["llama", "gemma2"])
def test_what_pads_a_pack_for_flex_attention_changes_nothing(tmp_path, model_dirs, family, monkeypatch):
    prepared = write_prepared(tmp_path / "prepared", model_dirs(family))
    first_values(tmp_path, prepared)
    training = training_of(prepared, tmp_path)
    training._resume(training._optimizer())
    pack = training._laid(0)[0][1]
    with torch.no_grad():
        dense = training.model.nll(pack)
        monkeypatch.setattr("mixtune_worker.model.has_flex", lambda _: True)
        torch.testing.assert_close(training.model.nll(pack), dense, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("window", [None, 150])
def test_blocks_of_a_pack_are_those_that_its_dense_mask_has(window):
    from torch.nn.attention.flex_attention import create_block_mask

    rng = np.random.default_rng(0)
    ends, positions = np.empty(2048, np.int64), np.empty(2048, np.int64)
    for group in range(0, 2048, 1024):  # a prefix of 300 tokens, and rests of 10 to 400
        ends[group : group + 300], positions[group : group + 300] = group + 1024, np.arange(300)
        at = group + 300
        while at < group + 1024:
            stop = min(group + 1024, at + int(rng.integers(10, 400)))
            ends[at:stop], positions[at:stop] = stop, 300 + np.arange(stop - at)
            at = stop
    view = PackView(torch.from_numpy(ends), torch.from_numpy(positions), True)
    ours = view.mask(window)
    theirs = create_block_mask(view._sees(window), None, None, 2048, 2048, device="cpu", BLOCK_SIZE=128)
    if window is None:
        for name in ("kv_num_blocks", "full_kv_num_blocks", "q_num_blocks", "full_q_num_blocks"):
            assert torch.equal(getattr(ours, name), getattr(theirs, name))
        assert torch.equal(ours.to_dense(), theirs.to_dense())
        assert ours.full_kv_num_blocks.sum() > 0
    else:  # bounds of positions: a block too many may be looked into, none may be left out or taken for full
        assert (ours.to_dense() >= theirs.to_dense()).all()
        assert (ours.full_kv_num_blocks <= theirs.full_kv_num_blocks).all()
        assert ours.kv_num_blocks.sum() + ours.full_kv_num_blocks.sum() < 16 * 17 // 2


def test_padding_is_seen_by_nobody():
    view = RowsView(torch.tensor([[0, 1, 2], [0, 1, 2]]), torch.tensor([[0, 1, 2], [0, 1, -1]]))
    assert view.mask(None)[1, 0].tolist() == [[True, False, False], [True, True, False], [True, True, False]]
    assert view.mask(2)[0, 0].tolist() == [[True, False, False], [True, True, False], [False, True, True]]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("method", ["lora", "full"])
def test_blocks_that_are_computed_twice_keep_less_and_give_the_same_gradients(tmp_path, model_dirs, family, method):
    prepared = write_prepared(tmp_path / "prepared", model_dirs(family), {"method": method})
    if method == "lora":
        first_values(tmp_path, prepared)
    training = training_of(prepared, tmp_path)
    training._resume(training._optimizer())
    model, pack = training.model, training._laid(0)[0][1]

    def gradients_and_bytes(recompute: bool):
        model.recompute = recompute
        kept = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda tensor: kept.append(tensor.nbytes) or tensor, lambda tensor: tensor
        ):
            model.nll(pack).sum().backward()
        gradients = {name: parameter.grad.clone() for name, parameter in model.trained.items()}
        for parameter in model.trained.values():
            parameter.grad = None
        return gradients, sum(kept)

    (once, all_kept), (twice, kept) = gradients_and_bytes(False), gradients_and_bytes(True)
    for name, gradient in once.items():
        assert torch.equal(gradient, twice[name]), name
    assert any(gradient.abs().max() > 0 for gradient in once.values())
    assert kept < all_kept / 2


@pytest.mark.parametrize("family,method", [("llama", "lora"), ("gemma2", "lora"), ("llama", "dora")])
def test_compiled_blocks_are_one_graph_for_packs_of_any_length_and_give_the_same_gradients(
    tmp_path, model_dirs, family, method
):
    from torch._dynamo.utils import counters

    first_values(tmp_path, write_prepared(tmp_path / "prepared", model_dirs(family), method_of(method)))
    training = training_of(tmp_path / "prepared", tmp_path)
    training._resume(training._optimizer())
    model, packs = training.model, [pack for step in (0, 1) for _, pack in training._laid(step)]
    compiled = replace(model, backend="eager")
    counters.clear()
    graphs = []
    for pack in packs:
        gradients = []
        for one in (model, compiled):
            one.nll(pack).sum().backward()
            gradients.append([parameter.grad.clone() for parameter in one.trained.values()])
            for parameter in one.trained.values():
                parameter.grad = None
        for plain, other in zip(*gradients, strict=True):
            assert torch.equal(plain, other)
        graphs.append(counters["stats"]["unique_graphs"])
    assert len({len(pack.ids) for pack in packs}) > 2
    assert graphs[0] > 0 and graphs[-1] == graphs[0]
    assert not counters["graph_break"]
