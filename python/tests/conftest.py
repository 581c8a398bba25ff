"""Tiny random models, and a writer of prepared folders that shares no code with the worker."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from worker_process import Nursery, WorkerProcess

torch.set_num_threads(1)
V = 61
FAMILIES = ["llama", "qwen2", "qwen3", "phi3", "mistral", "gemma2"]
SIZES = dict(
    vocab_size=V,
    hidden_size=24,
    intermediate_size=40,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=64,
    pad_token_id=0,
    bos_token_id=1,
    eos_token_id=2,
    initializer_range=0.3,
)
OWN = {
    "llama": {},
    "qwen2": {"use_sliding_window": True, "sliding_window": 6, "max_window_layers": 1, "tie_word_embeddings": True},
    "qwen3": {"head_dim": 8},
    "phi3": {"sliding_window": 7},
    "mistral": {"sliding_window": 5},
    "gemma2": {
        "head_dim": 8,
        "sliding_window": 6,
        "query_pre_attn_scalar": 8,
        "attn_logit_softcapping": 3.0,
        "final_logit_softcapping": 4.0,
    },
}


def make_model(folder: Path, family: str = "llama", **changes):
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(5)
    config = AutoConfig.for_model(family, **(SIZES | OWN[family] | changes))
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.2 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    return folder


def own_head(folder: Path, model_dir: Path):
    """A model with a head of its own in the file, of which its config still says that it is tied."""
    folder.mkdir()
    shutil.copy(model_dir / "config.json", folder)
    tensors = load_file(model_dir / "model.safetensors")
    head = np.roll(tensors["model.embed_tokens.weight"], -1, 0)
    save_file(tensors | {"lm_head.weight": head}, folder / "model.safetensors", {"format": "pt"})
    return folder


@pytest.fixture(scope="session")
def model_dirs(tmp_path_factory):
    """Folder of a family's model, made when first asked for."""
    made = {}

    def of(family: str) -> Path:
        if family not in made:
            made[family] = make_model(tmp_path_factory.mktemp(family), family)
        return made[family]

    return of


TRAIN = {
    "method": "lora", "init": "pretrained", "lora_rank": 2, "lora_alpha": 4, "lora_target": "all",
    "learning_rate": 0.02, "num_train_epochs": 1, "max_steps": None, "batch_tokens": None, "train_batch_size": 4,
    "lr_scheduler_type": "constant", "warmup_steps": 0, "decay_steps": 0, "weight_decay": 0.1,
    "adam_beta1": 0.9, "adam_beta2": 0.95, "adam_epsilon": 1e-8, "max_grad_norm": 0.5,
    "cutoff_len": 64, "packing": "isolated", "loss_on": "answer", "loss_mean": "token", "eval_steps": 2,
    "save_steps": 2, "early_stopping_patience": 0, "evaluate": "last", "keep": "weights",
}  # fmt: skip
LABELS = [[8, 9, 2], [7, 2], [8, 2], [10, 2], [8, 9, 11, 2], [8, 9]]


def make_items(num: int, seed: int, prompt: bool = True):
    """Prompts of which the first 4 tokens are the same, and an answer with its end token each."""
    rng = np.random.default_rng(seed)
    draw = lambda low, high: rng.integers(11, V, rng.integers(low, high)).tolist()  # noqa: E731
    return [([3, 4, 5, 6, *draw(2, 9)] if prompt else [], [*draw(1, 5), 2]) for _ in range(num)]


def earlier_answer(prompt, loss_on):
    """Where in a prompt an answer stands that is learnt too; none in those of an even length."""
    return [5, len(prompt)] if loss_on == "all_answers" and len(prompt) % 2 == 1 else []


def example_key(entry):
    """Any 32 bits: what dropout leaves out of an example follows from them."""
    return (entry + 1) * 2654435761 % 2**32


def kept(example, place, module, feature, rate):
    """Whether dropout keeps a number, in whole numbers of Python."""

    def odd(salt, number):
        h = (salt + (number + 1) * 0x9E3779B1) % 2**32
        h = (h ^ (h >> 16)) * 0x85EBCA6B % 2**32
        h = (h ^ (h >> 13)) * 0xC2B2AE35 % 2**32
        return ((h ^ (h >> 16)) >> 1) | 1

    salt = int(hashlib.sha256(module.encode()).hexdigest()[:8], 16)
    return odd(example, place) * odd(salt, feature) % 2**31 >= round(rate * 2**31)


def make_questions():
    """One is so long that, beside it, padding of the others is out of every sliding window's sight."""
    items = make_items(6, 3)
    items[4] = (items[4][0] + items[3][0] * 2, items[4][1])
    return items


def lists(name, values):
    return {
        f"{name}_ids": np.array([x for value in values for x in value], np.int32),
        f"{name}_offsets": np.cumsum([0, *map(len, values)], dtype=np.int64),
    }


def packs_of(packs, prefix="", shared=4):
    """`packs`: of each, its groups, of each, its items."""
    rows = [
        (item, g, shared if len(group) > 1 else 0) for pack in packs for g, group in enumerate(pack) for item in group
    ]
    item, group, share = np.array(rows, np.int32).reshape(-1, 3).T.copy()
    sizes = [sum(map(len, pack)) for pack in packs]
    return {
        f"{prefix}pack_offsets": np.cumsum([0, *sizes], dtype=np.int64),
        f"{prefix}entry_item": item.copy(),
        f"{prefix}entry_group": group.copy(),
        f"{prefix}entry_shared": share.copy(),
    }


STEPS = [[[[0, 1, 2], [3]], [[4, 5]]], [[[6, 7], [8, 9, 10, 11]]]]
"""Steps of packs of groups of items: 12 items, gone round."""


def write_prepared(
    folder: Path,
    model_dir: Path,
    train=None,
    num_steps=4,
    steps=STEPS,
    prompt=True,
    dev=True,
    text=True,
    untuned=False,
    shaped_as=None,
    **changes,
):
    folder.mkdir(parents=True)
    train = TRAIN | (train or {})
    items = make_items(12, 1, prompt)
    concatenated = train["packing"] == "contaminated"
    shared = 0 if concatenated or not prompt or train["loss_on"] == "all" or "lora_dropout" in train else 4
    files = {}

    def write(name, tensors):
        save_file(tensors, folder / name)
        files[name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        return name

    both = lambda some: lists("prompt", [p for p, _ in some]) | lists("answer", [a for _, a in some])  # noqa: E731
    loss_on = train["loss_on"]

    def spans(some):
        return lists("span", [earlier_answer(p, loss_on) for p, _ in some]) if loss_on == "all_answers" else {}

    chosen = [steps[s % len(steps)] for s in range(num_steps)]
    weights = []
    for step in chosen:
        of = [i for pack in step for group in pack for i in group]
        rows = sum(num_rows(items[i], train["loss_on"]) for i in of)
        weights += [1 / rows] * len(of)
    data = write(
        "train.safetensors",
        both(items)
        | spans(items)
        | packs_of([pack for step in chosen for pack in step], shared=shared)
        | {
            "item_task": np.array([i % 2 for i in range(12)], np.int32),
            "entry_weight": np.array(weights),
            **(
                {"entry_key": np.array([example_key(e) for e in range(len(weights))])}
                if "lora_dropout" in train
                else {}
            ),
            "step_offsets": np.cumsum([0, *map(len, chosen)], dtype=np.int64),
            "learning_rate": np.array([train["learning_rate"] * 0.95**s for s in range(num_steps)]),
        },
    )
    devs = (
        {
            "fpb": write(
                "dev.fpb.safetensors",
                both(make_items(5, 2)) | spans(make_items(5, 2)) | packs_of([[[0, 1, 2]], [[3], [4]]]),
            )
        }
        if dev
        else {}
    )
    asked = make_questions()
    question = write(
        "fpb.test.safetensors",
        both(asked)
        | lists("label", LABELS)
        | packs_of([[[0, 1, 2], [3]], [[4, 5]]], "labels_")
        | packs_of([[[0, 1], [2]], [[3, 4, 5]]], "gold_"),
    )
    content = {
        "format": 1, "id": "abc", "model_dir": str(model_dir),
        "spec": None if untuned else {"model": {"name": "tiny"}, "train": train, "seed": 7},
        "threads": 1, "device": "cpu", "ranks": 1, "precision": "float32", "load_in_4bit": False, "compile": False,
        "max_positions": 64,
        "train": None if untuned else {
            "file": data, "num_steps": num_steps, "tasks": ["fpb", "other"],
            "parameters": parameters_of(shaped_as or model_dir, train), "dev": devs,
        },
        "questions": [{
            "task": "fpb", "split": "test", "file": question, "opens_test": True,
            "asks": {"labels": True, "gold": True, "text": {"max_new_tokens": 6, "end_ids": [2, 30]} if text else None},
        }],
        "files": files,
    } | changes  # fmt: skip
    (folder / "prepared.json").write_text(json.dumps(content))
    return folder


def num_rows(item, loss_on):
    prompt, answer = item
    earlier = earlier_answer(prompt, loss_on)
    return (
        len(prompt) + len(answer) - 1
        if loss_on == "all"
        else len(answer) - (not prompt) + sum(earlier[1:]) - sum(earlier[:1])
    )


def plain_model(model_dir: Path, attention: str = "eager"):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(model_dir, dtype=torch.float32, attn_implementation=attention).eval()


def linears(model):
    return [n for n, m in model.named_modules() if isinstance(m, torch.nn.Linear) and n.startswith("model.layers.")]


def parameters_of(model_dir: Path, train):
    model = plain_model(model_dir)
    if train["method"] == "full":
        shapes = {name: list(p.shape) for name, p in model.named_parameters()}
    else:
        shapes = {}
        for name in linears(model):
            module = model.get_submodule(name)
            shapes[f"base_model.model.{name}.lora_A.weight"] = [train["lora_rank"], module.in_features]
            shapes[f"base_model.model.{name}.lora_B.weight"] = [module.out_features, train["lora_rank"]]
            if train.get("use_dora"):
                shapes[f"base_model.model.{name}.lora_magnitude_vector"] = [module.out_features]
    named = sorted(shapes.items(), key=lambda pair: len(pair[1]) <= 1)
    return [{"name": name, "shape": shape, "decays": len(shape) > 1} for name, shape in named]


def first_values(run_dir: Path, prepared: Path, b_zero: bool = False):
    """The checkpoint of step 0 that the other language writes."""
    content = json.loads((prepared / "prepared.json").read_text())
    rng = np.random.default_rng(4)
    weights = {}
    for parameter in content["train"]["parameters"]:
        draw = rng.normal(0, 0.2, parameter["shape"]).astype(np.float32)
        weights[parameter["name"]] = draw * 0 if b_zero and "lora_B" in parameter["name"] else draw
    folder = run_dir / "checkpoints" / "step-0"
    folder.mkdir(parents=True)
    full = content["spec"]["train"]["method"] == "full"
    save_file(weights, folder / ("model.safetensors" if full else "adapter_model.safetensors"), {"format": "pt"})
    zeros = {name: np.zeros_like(x) for name, x in weights.items()}
    save_file(
        {f"exp_avg.{n}": x for n, x in zeros.items()} | {f"exp_avg_sq.{n}": x for n, x in zeros.items()},
        folder / "optimizer.safetensors",
    )
    digests = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())}
    (run_dir / "checkpoints" / "last.json").write_text(json.dumps({"step": 0, "folder": "step-0", "files": digests}))
    return weights


@pytest.fixture(scope="session", autouse=True)
def nursery():
    global _nursery
    _nursery = Nursery()
    yield
    _nursery.close()


def start_worker(*arguments, **environment):
    return WorkerProcess(_nursery, arguments, environment)


def run_worker(*arguments, **environment):
    """Messages, complaints and exit status."""
    child = start_worker(*arguments, **environment)
    # communicate() would end standard input, and with it the worker's patience
    out = child.stdout.read()
    complaints = child.stderr.read()
    status = child.wait()
    child.stdin.close()
    return [json.loads(line) for line in out.splitlines()], complaints, status
