"""Who sees whom, as the one attention function that every model of transformers is given here: its layers hand over
queries, keys and values, the caller hands a view over beside the tokens, and the model's own masks are never made.

SDPA with a dense mask everywhere; on CUDA, FlexAttention, which skips the blocks that nobody sees (arXiv 2412.05496).
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import AttentionInterface

NAME = "mixtune"
BLOCK = 128


class PackView:
    """Of a pack: token k is seen by k <= q < ends[k], and in sliding layers only from fewer than `window` positions
    away."""

    def __init__(self, ends: Tensor, positions: Tensor, flex: bool):
        self.ends, self.positions, self.flex = ends, positions, flex
        self.masks: dict[int | None, Any] = {}

    def mask(self, window: int | None) -> Any:
        """Dense [1, 1, T, T], or a BlockMask; made once for all layers of a kind."""
        if window not in self.masks:
            self.masks[window] = self._block_mask(window) if self.flex else self._dense(window)
        return self.masks[window]

    def _sees(self, window: int | None):
        ends, positions = self.ends, self.positions

        def sees(_batch: Any, _head: Any, q: Tensor, k: Tensor) -> Tensor:
            seen = (k <= q) & (q < ends[k])
            return seen if window is None else seen & (positions[q] - positions[k] < window)

        return sees

    def _dense(self, window: int | None) -> Tensor:
        token = torch.arange(len(self.ends), device=self.ends.device)
        return self._sees(window)(None, None, token[:, None], token[None, :])[None, None]

    def _block_mask(self, window: int | None) -> Any:
        """From the bounds of each block of tokens, of which there must be whole ones. Makes nothing of size [T, T]."""
        from torch.nn.attention.flex_attention import BlockMask

        ends, positions = self.ends.view(-1, BLOCK), self.positions.view(-1, BLOCK)
        first = torch.arange(0, len(self.ends), BLOCK, device=self.ends.device)
        q, k = first[:, None], first[None, :]
        some, every = (k <= q) & (ends.amax(1) > q), (k < q) & (ends.amin(1) >= q + BLOCK)
        if window is not None:
            low, high = positions.amin(1), positions.amax(1)
            some, every = some & (low[:, None] - high < window), every & (high[:, None] - low < window)
        partial, full = _listed(some & ~every), _listed(every)
        return BlockMask.from_kv_blocks(*partial, *full, BLOCK_SIZE=BLOCK, mask_mod=self._sees(window))


def _listed(blocks: Tensor) -> tuple[Tensor, Tensor]:
    """Of each row of blocks [Q, K]: how many are set [1, 1, Q], and which, before the others [1, 1, Q, K]."""
    which = blocks.int().argsort(dim=1, descending=True, stable=True)
    return blocks.sum(1).int()[None, None], which.int()[None, None]


class RowsView:
    """Of rows under generation: keys by their positions, [B, K] with -1 where a row has padding; queries by theirs,
    [B, Q]."""

    flex = False

    def __init__(self, queries: Tensor, keys: Tensor):
        self.queries, self.keys = queries, keys
        self.masks: dict[int | None, Tensor] = {}

    def mask(self, window: int | None) -> Tensor:
        if window not in self.masks:
            q, k = self.queries[:, :, None], self.keys[:, None, :]
            seen = (k >= 0) & (k <= q)
            if window is not None:
                seen &= q - k < window
            self.masks[window] = (seen | ~seen.any(-1, keepdim=True))[
                :, None
            ]  # padding that sees nothing would be no number
        return self.masks[window]


def attend(
    module: torch.nn.Module,
    query: Tensor,  # [B, H, Q, E]
    key: Tensor,  # [B, KV heads, K, E]
    value: Tensor,
    _mask: None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    view: PackView | RowsView | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """[B, Q, H, E]. Dropout is none: a run's result must not depend on how it was packed."""
    if view is None:
        raise RuntimeError(f"{type(module).__name__} does not hand its keywords to attention")
    query, key = query.to(value.dtype), key.to(value.dtype)
    mask = view.mask(sliding_window)
    if view.flex:
        out = _flex(query, key, value, mask, scaling, softcap)
    elif softcap is None:
        out = F.scaled_dot_product_attention(query, *_repeated(query, key, value), attn_mask=mask, scale=scaling)
    else:
        out = _capped(query, *_repeated(query, key, value), mask, scaling, softcap)
    return out.transpose(1, 2).contiguous(), None


def _repeated(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    times = query.shape[1] // key.shape[1]
    return (key, value) if times == 1 else (key.repeat_interleave(times, 1), value.repeat_interleave(times, 1))


def _capped(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, scaling: float | None, softcap: float) -> Tensor:
    """Scores become cap * tanh(score / cap), which SDPA cannot do."""
    scores = (query @ key.transpose(2, 3)) * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    scores = softcap * torch.tanh(scores.float() / softcap)
    return scores.masked_fill(~mask, -torch.inf).softmax(-1).to(value.dtype) @ value


_compiled: Any = None


def _flex(query: Tensor, key: Tensor, value: Tensor, mask: Any, scaling: float | None, softcap: float | None) -> Tensor:
    global _compiled
    from torch.nn.attention.flex_attention import flex_attention

    if _compiled is None:
        # A process may do runs of several models. Their caps and scales stay constants, and each compiles for itself.
        torch._dynamo.config.specialize_float = True
        torch._dynamo.config.recompile_limit = 64
        _compiled = torch.compile(flex_attention) if query.is_cuda else flex_attention

    def capped(score: Tensor, *_: Any) -> Tensor:
        return softcap * torch.tanh(score / softcap)  # pyright: ignore[reportOptionalOperand, reportOperatorIssue]

    cap = None if softcap is None else capped
    return _compiled(
        query, key, value, score_mod=cap, block_mask=mask, scale=scaling, enable_gqa=query.shape[1] != key.shape[1]
    )


def has_flex(device: torch.device) -> bool:
    """FlexAttention needs a compiler for the device."""
    if device.type != "cuda":
        return False
    try:
        import triton  # noqa: F401
        from torch.nn.attention.flex_attention import flex_attention  # noqa: F401
    except ImportError:
        return False
    return True


AttentionInterface.register(NAME, attend)
