"""A transformers model that reads packs: only supervised rows reach the language-model head, only what is asked for trains."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .errors import MixtuneError
from .packs import Pack


class Model:
    """The base model, with an adapter where a run trains one."""

    def __init__(self, folder: str, spec: dict[str, Any] | None, device: torch.device, precision: str):
        from transformers import AutoConfig, AutoModelForCausalLM

        safe = {"trust_remote_code": False, "local_files_only": True}
        config = AutoConfig.from_pretrained(folder, **safe)
        self.is_full = spec is not None and spec["method"] == "full"
        self.half = precision == "bfloat16"
        softcaps = getattr(config, "attn_logit_softcapping", None) is not None
        whole = load_base(
            AutoModelForCausalLM, folder, config, torch.bfloat16 if self.half and not self.is_full else torch.float32, softcaps, safe
        )
        whole.requires_grad_(self.is_full)
        self.windows = {"sliding_attention"} & set(getattr(config, "layer_types", None) or [])
        self.window: int | None = getattr(config, "sliding_window", None)
        self.softcap: float | None = getattr(config, "final_logit_softcapping", None)
        self.device = device
        self.vocab_size: int = config.vocab_size
        self.module: nn.Module = whole if spec is None or self.is_full else with_adapter(whole, spec)
        self.module.to(device)
        self.causal_lm = whole
        whole.eval()

    def trainable(self) -> dict[str, nn.Parameter]:
        """By the names that checkpoints have."""
        named = ((name.replace(".default.", "."), one) for name, one in self.module.named_parameters())
        return {name: one for name, one in named if one.requires_grad}

    def block_weights(self) -> int:
        """Elements of the decoder's blocks, without an adapter's."""
        named = self.causal_lm.named_parameters()
        return sum(one.numel() for name, one in named if ".layers." in name and "lora_" not in name)

    def nll(self, pack: Pack) -> Tensor:
        """[R] negative log-likelihood of each target, in nats, float32."""
        ids, positions, ends, rows, targets = (
            torch.from_numpy(one).to(self.device) for one in (pack.ids, pack.positions, pack.ends, pack.rows, pack.targets)
        )
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half and self.is_full):
            hidden = self.causal_lm.model(
                input_ids=ids[None], position_ids=positions[None], attention_mask=self._masks(positions, ends), use_cache=False
            ).last_hidden_state[0, rows]
            logits = self.causal_lm.lm_head(hidden).float()
        if self.softcap is not None:
            logits = torch.tanh(logits / self.softcap) * self.softcap
        return nn.functional.cross_entropy(logits, targets, reduction="none")

    def _masks(self, positions: Tensor, ends: Tensor) -> Tensor | dict[str, Tensor]:
        """Additive, [1, 1, T, T]: token k is seen by k <= q < ends[k], in sliding layers by those less than a window away."""
        q = torch.arange(len(ends), device=self.device)[:, None]
        k = q.T
        seen = (k <= q) & (q < ends[None, :])
        dtype = torch.bfloat16 if self.half else torch.float32
        full = additive(seen, dtype)
        if self.window is None:
            return full
        near = additive(seen & (positions[:, None] - positions[None, :] < self.window), dtype)
        return {"full_attention": full, "sliding_attention": near} if self.windows else near


def additive(seen: Tensor, dtype: torch.dtype) -> Tensor:
    return torch.zeros(seen.shape, dtype=dtype, device=seen.device).masked_fill(~seen, torch.finfo(dtype).min)[None, None]


def load_base(auto: Any, folder: str, config: Any, dtype: torch.dtype, softcaps: bool, safe: dict[str, bool]) -> Any:
    try:
        return auto.from_pretrained(
            folder, config=config, dtype=dtype, attn_implementation="eager" if softcaps else "sdpa", use_safetensors=True, **safe
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise MixtuneError(
            str(Path(folder)),
            "a model that transformers opens from safetensors",
            str(error).strip().splitlines()[0],
            "Give a Hugging Face folder with config.json and safetensors weights.",
        ) from error


def with_adapter(whole: Any, spec: dict[str, Any]) -> nn.Module:
    from peft import LoraConfig, get_peft_model

    target = spec["lora_target"]
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=spec["lora_rank"],
        lora_alpha=spec["lora_alpha"],
        lora_dropout=0.0,
        target_modules="all-linear" if target == "all" else list(target),
        bias="none",
    )
    return get_peft_model(whole, config)
