"""The ranks of a run: processes that share it, a GPU each, or one process alone. All of them do the same program
with other packs; weights, gradients and moments are divided among them (FSDP2), and gathered layer by layer where
they are used."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.tensor import DTensor

from .errors import MixtuneError

PATIENCE = timedelta(hours=2)
"""How long ranks wait for one another, who may write a large checkpoint or compile. Others see a death at once."""


@dataclass(frozen=True)
class Ranks:
    rank: int = 0
    count: int = 1
    words: Any = None  # the group in which they talk, on the processor

    @property
    def is_first(self) -> bool:
        """Of them the one that writes files."""
        return self.rank == 0

    def any(self, flag: bool) -> bool:
        """Whether it is true for one of them; they wait for one another here."""
        if self.count == 1:
            return flag
        flags = torch.tensor(int(flag))
        dist.all_reduce(flags, dist.ReduceOp.MAX, group=self.words)
        return bool(flags)

    def gather(self, value: Any) -> list[Any]:
        """Everybody's, in their order, for all."""
        if self.count == 1:
            return [value]
        values: list[Any] = [None] * self.count
        dist.all_gather_object(values, value, group=self.words)
        return values

    def of_first(self, value: Any) -> Any:
        """The first one's, for all."""
        return self.gather(value if self.is_first else None)[0]

    def wait(self) -> None:
        self.any(False)


ALONE = Ranks()


@contextmanager
def joined(rank: int, count: int, meeting: str, device: torch.device) -> Iterator[Ranks]:
    """
    This process as one of `count`.

    :param meeting: a file that all of them see
    :raises MixtuneError: there are fewer GPUs
    """
    if device.type == "cuda":
        if torch.cuda.device_count() < count:
            raise MixtuneError(
                "GPUs that PyTorch sees",
                f"{count}, one for each rank of the run",
                f"{torch.cuda.device_count()}",
                "Give --gpus as many as there are.",
            )
        torch.cuda.set_device(rank)
    loopback = "lo" if sys.platform == "linux" else "lo0"
    for name in ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME"):
        os.environ.setdefault(name, loopback)  # ranks are on one machine: nothing listens to others
    store = dist.FileStore(meeting, count)  # pyright: ignore[reportPrivateImportUsage]
    backend = "nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, store=store, rank=rank, world_size=count, timeout=PATIENCE)
    ranks = Ranks(rank, count, dist.new_group(backend="gloo", timeout=PATIENCE))
    yield ranks
    ranks.wait()  # not after an exception: others may be stuck for ever
    dist.destroy_process_group()


def divide(net: Any, device: torch.device, ranks: Ranks, half: bool) -> None:
    """
    Moves a net to its devices, each parameter cut along its first axis. Gradients are summed over ranks: weights of
    the loss are absolute.

    :param net: with weights for the first rank, on the device `meta` for others
    :param half: whether blocks of float32 are gathered in bfloat16. Products are in bfloat16, and a gathered block is
        freed after its turn; other copies are not.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard

    if not hasattr(FSDPModule, "set_force_sum_reduction_for_comms"):
        raise MixtuneError(
            "several GPUs for one run",
            "a PyTorch whose FSDP2 can sum gradients",
            torch.__version__,
            "Run mixtune setup torch again, or take --gpus 1.",
        )
    mesh = init_device_mesh(device.type, (ranks.count,))
    gathered = (
        MixedPrecisionPolicy(torch.bfloat16, torch.float32, cast_forward_inputs=False)
        if half
        else MixedPrecisionPolicy(cast_forward_inputs=False)
    )
    for block in net.model.layers:
        _place(block, device, ranks)
        fully_shard(block, mesh=mesh, mp_policy=gathered)
    _place(net, device, ranks)
    fully_shard(net, mesh=mesh, mp_policy=MixedPrecisionPolicy(cast_forward_inputs=False))
    for module in net.modules():
        if isinstance(module, FSDPModule):
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(True)
    net.forward = _work  # gathers the weights outside of blocks for whatever is done with them


def _work(work: Any, *arguments: Any) -> Any:
    return work(*arguments)


def _place(module: Any, device: torch.device, ranks: Ranks) -> None:
    """Parameters and buffers of the first rank, whole, to all; tied ones stay tied."""
    placed: dict[int, tuple[Tensor, Tensor]] = {}  # of both kinds while this lasts: no other tensor gets such an id
    for child in module.modules():
        for table in (child._parameters, child._buffers):
            for name, tensor in table.items():
                if tensor is None or isinstance(tensor, DTensor):
                    continue
                if id(tensor) not in placed:
                    here = tensor.detach().to(device) if ranks.is_first else torch.empty_like(tensor, device=device)
                    dist.broadcast(here, 0)
                    whole = (
                        torch.nn.Parameter(here, tensor.requires_grad)
                        if isinstance(tensor, torch.nn.Parameter)
                        else here
                    )
                    placed[id(tensor)] = (whole, tensor)
                table[name] = placed[id(tensor)][0]


def fill(tensor: Tensor, whole: Tensor) -> None:
    """Sets a tensor, or this rank's part of it."""
    with torch.no_grad():
        if not isinstance(tensor, DTensor):
            tensor.copy_(whole)
            return
        mesh = tensor.device_mesh
        parts = whole.chunk(mesh.size())
        rank = mesh.get_local_rank()
        tensor.to_local().copy_(parts[rank] if rank < len(parts) else whole[:0])


def local(tensor: Tensor) -> Tensor:
    """This rank's part of a tensor that may be divided."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def whole(tensor: Tensor) -> Tensor:
    """All of a tensor that may be divided; every rank must ask."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
