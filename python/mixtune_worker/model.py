"""The model of a run: transformers' own, from config.json and safetensors; adapters by PEFT; only rows that predict
reach the language-model head."""

import logging
import re
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from peft.tuners.lora import LoraLayer
from torch import Tensor
from torch.utils.checkpoint import checkpoint
from transformers import AutoConfig, AutoModelForCausalLM, BitsAndBytesConfig
from transformers.utils import logging as transformers_logging

from .attention import BLOCK, NAME, PackView, RowsView, has_flex
from .dropout import AdapterDropout, TokenKeys
from .errors import DamagedRun, MixtuneError
from .packages import FOR_4_BITS, check_packages
from .packs import Pack
from .ranks import ALONE, Ranks, divide, fill

transformers_logging.disable_progress_bar()
# bitsandbytes misses a package that would fetch code from the hub.
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)

HEAD_ROWS = 1024
"""Rows through the head at a time: their logits are made again for the backward pass instead of being kept."""

LORA = re.compile(r"\.(\w+)\.lora_A\.weight$")


@dataclass
class Model:
    net: Any
    device: torch.device
    precision: torch.dtype
    num_block_weights: int
    trained: dict[str, torch.nn.Parameter]  # as checkpoints name them
    recompute: bool = False  # whether blocks are computed again on the way back
    is_divided: bool = False  # among ranks
    keys: TokenKeys | None = None  # of dropout; None: there is none
    backend: str | None = None  # of torch.compile, by which packs go through the blocks; None: they are not compiled

    def __post_init__(self) -> None:
        for block in self.net.model.layers:
            block.forward = self._thrifty(block.forward)

    def _thrifty(self, forward: Callable[..., Any]) -> Callable[..., Any]:
        # one compilation serves all blocks; text is not worth one, as its caches grow token by token
        compiled = forward if self.backend is None else torch.compile(forward, backend=self.backend, dynamic=True)

        @wraps(forward)
        def block(*args: Any, **keywords: Any) -> Any:
            chosen = compiled if isinstance(keywords.get("view"), PackView) else forward
            if not (self.recompute and torch.is_grad_enabled()):
                return chosen(*args, **keywords)
            return checkpoint(chosen, *args, use_reentrant=False, preserve_rng_state=False, **keywords)

        return block

    @property
    def vocab_size(self) -> int:
        return self.net.config.vocab_size

    def pass_context(self) -> Any:
        """Products in the run's precision, whatever the weights are kept in."""
        return torch.autocast(self.device.type, self.precision) if self.precision != torch.float32 else nullcontext()

    def _within(self, work: Callable[..., Tensor], *arguments: Any) -> Tensor:
        """Does it where all weights outside of blocks are at hand."""
        return self.net(work, *arguments) if self.is_divided else work(*arguments)

    def nll(self, pack: Pack, token_keys: np.ndarray | None = None) -> Tensor:
        """
        -log p of each target, [R] in nats.

        :param token_keys: [T] of training with dropout; they hold until the next call, as blocks may be computed again
        """
        return self._within(self._nll, pack, token_keys)

    def _nll(self, pack: Pack, token_keys: np.ndarray | None) -> Tensor:
        flex = has_flex(self.device)
        pad = (
            -len(pack.ids) % (2 * BLOCK) if flex else 0
        )  # fewer lengths to compile for; what is added sees itself alone
        length = len(pack.ids)
        ids, positions = (F.pad(self.moved(array), (0, pad)) for array in (pack.ids, pack.positions))
        ends = torch.cat([self.moved(pack.ends), torch.arange(length + 1, length + pad + 1, device=self.device)])
        self._set_keys(None if token_keys is None else F.pad(self.moved(token_keys), (0, pad)))
        view = PackView(ends, positions, flex)
        if self.backend is not None:
            for window in {None, getattr(self.net.config, "sliding_window", None)}:
                view.mask(window)  # before the compiled blocks, whose first would make it
        with self.pass_context():
            hidden = self._decode(ids[None], positions[None], view)[0, self.moved(pack.rows)]
            targets = self.moved(pack.targets)
            if len(targets) <= HEAD_ROWS or not torch.is_grad_enabled():
                parts = [
                    self._head_nll(h, t) for h, t in zip(hidden.split(HEAD_ROWS), targets.split(HEAD_ROWS), strict=True)
                ]
            else:
                parts = [
                    checkpoint(self._head_nll, h, t, use_reentrant=False, preserve_rng_state=False)
                    for h, t in zip(hidden.split(HEAD_ROWS), targets.split(HEAD_ROWS), strict=True)
                ]
        return torch.cat(parts)

    def _set_keys(self, now: Tensor | None) -> None:
        """Of dropout; None: nothing is left out."""
        if self.keys is not None:
            self.keys.now = now
            layers: list[Any] = [module for module in self.net.modules() if isinstance(module, LoraLayer)]
            for layer in layers:
                layer.training = now is not None  # PEFT's DoRA asks

    def write_on(self, ids: Tensor, positions: Tensor, view: RowsView, last: Tensor, cache: Any) -> Tensor:
        """float32 logits [B, V] after token `last` of each row; keys and values join the cache."""
        return self._within(self._write_on, ids, positions, view, last, cache)

    def _write_on(self, ids: Tensor, positions: Tensor, view: RowsView, last: Tensor, cache: Any) -> Tensor:
        self._set_keys(None)
        with self.pass_context():
            hidden = self._decode(ids, positions, view, cache)
            return self._logits(hidden[torch.arange(len(ids), device=self.device), last])

    def _decode(self, ids: Tensor, positions: Tensor, view: PackView | RowsView, cache: Any = None) -> Tensor:
        out = self.net.model(
            input_ids=ids, position_ids=positions, past_key_values=cache, use_cache=cache is not None, view=view
        )
        return out.last_hidden_state

    def _logits(self, hidden: Tensor) -> Tensor:
        logits = self.net.lm_head(hidden).float()
        cap = getattr(self.net.config, "final_logit_softcapping", None)
        return logits if cap is None else cap * torch.tanh(logits / cap)

    def _head_nll(self, hidden: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(self._logits(hidden), targets, reduction="none")

    def moved(self, array: Any) -> Tensor:
        """
        An array on the device. Page-locked for CUDA: from other memory the copy waits until the device has finished all
        its work.
        """
        tensor = torch.from_numpy(array)
        return tensor.pin_memory().to(self.device, non_blocking=True) if self.device.type == "cuda" else tensor

    def load(self, tensors: dict[str, Tensor], place: Path) -> None:
        """Sets what is trained."""
        if self.is_divided:
            self.net.reshard()  # what was gathered before is out of date
        for name, parameter in self.trained.items():
            tensor = tensors.get(name)
            if tensor is None or tensor.shape != parameter.shape:
                raise MixtuneError(
                    f"{place}: tensor {name}",
                    f"{list(parameter.shape)}, as the run's spec and model say",
                    "no such tensor" if tensor is None else str(list(tensor.shape)),
                    "The checkpoint belongs to another run or model: give the folder that the run wrote.",
                )
            fill(parameter, tensor)


def choose_device(name: str) -> torch.device:
    if name == "cuda" and not torch.cuda.is_available():
        raise MixtuneError(
            "device",
            "a CUDA device, as the run asks for",
            "none that PyTorch sees",
            "Install a CUDA build of PyTorch, or set the device to auto or cpu.",
        )
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def open_model(
    prepared: dict[str, Any], device: torch.device, shapes: dict[str, list[int]] | None, ranks: Ranks = ALONE
) -> Model:
    """
    The model of prepared.json on a device, or divided among those of ranks.

    :param shapes: of what is trained, by name; None: nothing is. Adapters get no first values: load them.
    :raises MixtuneError: 4 bits for several ranks
    """
    full = shapes is not None and prepared["spec"]["train"]["method"] == "full"
    dtype = torch.float32 if full else getattr(torch, prepared["precision"])
    folder = Path(prepared["model_dir"])
    if ranks.count > 1 and prepared["load_in_4bit"]:
        raise MixtuneError(
            "train.load_in_4bit",
            "weights that can be divided among ranks",
            "4 bits",
            "Take --gpus 1: in 4 bits a model of 70 billion weights is 40 GB.",
        )
    loading = {"quantization_config": _nf4(dtype), "device_map": {"": device}} if prepared["load_in_4bit"] else {}
    net = _pretrained(folder, dtype, **loading) if ranks.is_first else None
    tied = ranks.of_first(net is not None and net.lm_head.weight is net.model.embed_tokens.weight)
    return model_of(_hollow(folder, dtype, tied) if net is None else net, prepared, device, shapes, ranks)


def _nf4(compute: torch.dtype) -> BitsAndBytesConfig:
    """Linear layers of the blocks in 4 bits, as QLoRA has them (arXiv 2305.14314)."""
    check_packages(FOR_4_BITS)
    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=compute
    )


def model_of(
    net: Any, prepared: dict[str, Any], device: torch.device, shapes: dict[str, list[int]] | None, ranks: Ranks = ALONE
) -> Model:
    """{@link open_model} of a network whose weights are there."""
    folder = Path(prepared["model_dir"])
    precision = getattr(torch, prepared["precision"])
    train = prepared["spec"]["train"] if shapes is not None else None
    full = train is not None and train["method"] == "full"
    _fix_positions(net, prepared["max_positions"])
    net.eval()
    net.requires_grad_(full)
    blocks = sum(_num_weights(p) for name, p in net.named_parameters() if name.startswith("model.layers."))
    keys = None
    if train is not None and shapes is not None and not full:
        _adapt(net, train, shapes)
        keys = _drop(net, train["lora_dropout"]) if "lora_dropout" in train else None
    for module in net.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            # 4 bits laid out for inference exist for some widths alone, and give other numbers than in training.
            module.support_avx512bf16_for_cpu = False
    if ranks.count == 1:
        net.to(device)
    else:
        divide(net, device, ranks, half=full and precision != torch.float32)
    trained = {_saved_name(name, full): p for name, p in net.named_parameters() if p.requires_grad}
    if shapes is not None:
        _check_trained(trained, shapes, folder)
        trained = {name: trained[name] for name in shapes}
    backend = "inductor" if prepared["compile"] else None
    return Model(net, device, precision, blocks, trained, keys=keys, backend=backend, is_divided=ranks.count > 1)


def _num_weights(parameter: Tensor) -> int:
    state = getattr(parameter, "quant_state", None)  # of weights of 4 bits, two of which share a byte
    return parameter.numel() if state is None else state.shape.numel()


def _pretrained(folder: Path, dtype: torch.dtype, **loading: Any) -> Any:
    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            str(folder),
            dtype=dtype,
            attn_implementation=NAME,
            trust_remote_code=False,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
            **loading,
        )
        net, report = loaded
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # whatever transformers makes of a damaged folder
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise DamagedRun(
            str(folder),
            "a model of transformers' own: config.json and safetensors",
            reason[0][:300],
            "Fetch the model again. Code that comes with a model is never run.",
        ) from error
    wrong = [*report["missing_keys"], *(key[0] if isinstance(key, tuple) else key for key in report["mismatched_keys"])]
    if wrong:
        raise DamagedRun(
            f"{folder}: tensor {sorted(wrong)[0]}",
            "the shape that config.json says",
            "none of it in the weights",
            "Fetch the model again.",
        )
    return net


def _hollow(folder: Path, dtype: torch.dtype, tied: bool) -> Any:
    """The same network without weights. Whether its head is tied is for the weights to say, not for config.json."""
    config = AutoConfig.from_pretrained(str(folder), trust_remote_code=False, local_files_only=True)
    config.tie_word_embeddings = tied
    with torch.device("meta"):
        net = AutoModelForCausalLM.from_config(config, dtype=dtype, attn_implementation=NAME, trust_remote_code=False)
    net.tie_weights()
    return net


def pretrained_weights(folder: Path) -> dict[str, Tensor]:
    return dict(_pretrained(folder, torch.float32).named_parameters())


def _fix_positions(net: Any, max_positions: int) -> None:
    """longrope has factors for short and for long texts. Chooses once for a run, by its longest text."""
    rotary: Any = getattr(net.model, "rotary_emb", None)
    if getattr(rotary, "rope_type", None) != "longrope":
        return
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    inv_freq, rotary.attention_scaling = ROPE_INIT_FUNCTIONS["longrope"](
        net.config, rotary.inv_freq.device, seq_len=max_positions
    )
    rotary.inv_freq.copy_(inv_freq)
    rotary.rope_type = "chosen"


def _adapt(net: Any, train: dict[str, Any], names: Iterable[str]) -> None:
    from peft import LoraConfig, inject_adapter_in_model

    config = LoraConfig(
        r=train["lora_rank"],
        lora_alpha=train["lora_alpha"],
        lora_dropout=0.0,
        target_modules=adapted_modules(names),
        bias="none",
        use_dora=train.get("use_dora", False),
    )
    inject_adapter_in_model(config, net)
    for module in net.modules():
        if hasattr(module, "lora_A"):
            module.cast_input_dtype_enabled = False  # autocast chooses the type of a product
    for name, parameter in net.named_parameters():
        if "lora_" in name:
            parameter.data = parameter.data.float()


def _drop(net: Any, rate: float) -> TokenKeys:
    """Has adapters read with dropout wherever keys are set."""
    keys = TokenKeys()
    for name, module in net.named_modules():
        if isinstance(module, LoraLayer):
            module.lora_dropout["default"] = AdapterDropout(name, int(module.in_features or 0), rate, keys)
    return keys


def adapted_modules(names: Iterable[str]) -> list[str]:
    """target_modules of an adapter with tensors of these names."""
    return list(dict.fromkeys(match[1] for name in names if (match := LORA.search(name))))


def _saved_name(name: str, full: bool) -> str:
    if full:
        return name
    plain = name.replace(
        ".lora_magnitude_vector.default.weight", ".lora_magnitude_vector"
    )  # as PEFT's own files have it
    return f"base_model.model.{plain.replace('.default.', '.')}"


def _check_trained(trained: dict[str, Tensor], shapes: dict[str, list[int]], folder: Path) -> None:
    for name in sorted({*trained, *shapes}):
        here = list(trained[name].shape) if name in trained else "no such tensor"
        there = shapes.get(name, "no such tensor")
        if here != there:
            raise DamagedRun(
                f"trained tensor {name}",
                f"{here}, as {folder} and the run's spec say",
                f"{there} in the prepared run",
                "Prepare the run again.",
            )
