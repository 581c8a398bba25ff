"""Dropout on what adapters read, by the masks of src/base/dropout-mask.ts: a number is kept where the product of its
token's key and its feature's, modulo 2^31, is large enough. Masks follow from run, step, example and place alone."""

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

BITS = 2**31 - 1


def _odd_keys(salts: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Murmur3's finalizer of both, to odd numbers of 31 bits."""
    h = salts.astype(np.uint32) + (numbers.astype(np.uint32) + np.uint32(1)) * np.uint32(0x9E3779B1)
    h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    h ^= h >> np.uint32(16)
    return ((h >> np.uint32(1)) | np.uint32(1)).astype(np.int64)


def token_keys(examples: np.ndarray, places: np.ndarray) -> np.ndarray:
    """
    :param examples: [T] key of each token's example in its step
    :param places: [T] of the token in its example
    """
    return _odd_keys(examples, places)


def feature_keys(module: str, width: int) -> np.ndarray:
    salt = int(hashlib.sha256(module.encode()).hexdigest()[:8], 16)
    return _odd_keys(np.full(width, salt), np.arange(width))


@dataclass
class TokenKeys:
    """Of the tokens that go through the net."""

    now: Tensor | None = None  # [T]; None: nothing is left out


class AdapterDropout(torch.nn.Module):
    """In place of PEFT's, in front of one adapter."""

    features: Tensor

    def __init__(self, module: str, width: int, rate: float, keys: TokenKeys):
        super().__init__()
        self.keys = keys
        self.threshold, self.scale = round(rate * 2**31), 1 / (1 - rate)
        self.register_buffer("features", torch.from_numpy(feature_keys(module, width)), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """:param x: [1, T, width]"""
        if self.keys.now is None:
            return x
        kept = ((self.keys.now[:, None] * self.features) & BITS) >= self.threshold
        return x * (kept.to(x.dtype) * self.scale)
