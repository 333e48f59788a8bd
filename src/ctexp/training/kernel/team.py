"""Several processes, one for each device, that compute every step of one training together.

All of them run the same loop over the same batches. Each computes its share of every part of a step; then
all know the logits of the whole part, so that each computes the same loss of it, and all add up their
gradients, so that each takes the same step. Nothing else passes between them; none can be a step ahead.

Lightning's own strategy for this is not used. It fixes at the beginning which weights learn, while stages
here begin to learn later; it adds up gradients at every part; it waits for the device at every step, and in
its handler of SIGTERM for the other processes.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor
from torch._C._distributed_c10d import FileStore

from ctexp.data.shares import Share

_JOINING = timedelta(minutes=2)
"""For all processes to find each other, once each has said that it is ready."""

_PATIENCE = timedelta(days=1)
"""For the others at a step: they wait while one writes a checkpoint. Those that die are noticed at once."""


@dataclass(frozen=True)
class Team:
    """Who computes a step; alone, one process computes all of it, and nothing here does anything.

    Attributes:
        rank: which process this is; 0 leads: it alone writes, and is heard and seen from outside.
        size: how many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the process that owns the training."""
        return self.rank == 0

    def share(self, pieces: int) -> Share:
        """What this process computes of each batch, in so many parts."""
        return Share(self.rank, self.size, pieces)

    def takes(self, number: int) -> bool:
        """Whether this process computes the batch with this number, where whole batches are dealt out."""
        return number % self.size == self.rank

    def whole(self, own: Tensor, count: int) -> Tensor:
        """The rows of all processes, of which this one's alone carry a gradient.

        Args:
            own: the rows (n, ...) of this share.
            count: of all of them together.

        Returns:
            Rows (count, ...), in the order of the batch.
        """
        if self.size == 1:
            return own
        positions = self.share(1).of(count)
        first, after = int(positions[0]), int(positions[-1]) + 1
        exact = torch.promote_types(own.dtype, torch.float32)
        rows = torch.zeros((count, *own.shape[1:]), dtype=exact, device=own.device)
        rows[first:after] = own.detach()
        self._add(rows)
        rows = rows.to(own.dtype)
        return torch.cat([rows[:first], own, rows[after:]])

    def add(self, tensors: Sequence[Tensor]) -> None:
        """Make each tensor, where it is, the sum of those of all processes; one message for all of them."""
        if self.size == 1 or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        self._add(flat)
        totals = torch.split_with_sizes(flat, [tensor.numel() for tensor in tensors])
        for tensor, total in zip(tensors, totals, strict=True):
            tensor.copy_(total.view(tensor.shape))

    def _add(self, tensor: Tensor) -> None:
        if tensor.is_cuda:
            # A message between GPUs waits for ever for one whose process has died; this one does not.
            dist.all_reduce(torch.zeros(1))
        dist.all_reduce(tensor)


ALONE = Team()


@contextmanager
def joined(team: Team, store: Path, device: torch.device) -> Iterator[None]:
    """Connect this process with the others, which do the same; on this machine alone.

    Args:
        team: who this is.
        store: a file, the same for all and not made yet, by which they find each other.
        device: where this process computes.

    Raises:
        RuntimeError: of torch, where not all come.
    """
    hook = sys.excepthook  # torch puts the rank before every line of a traceback
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    meeting = FileStore(str(store), team.size)
    meeting.set_timeout(_JOINING)
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo",
        store=meeting,
        rank=team.rank,
        world_size=team.size,
        timeout=_PATIENCE,
    )
    try:
        yield
    finally:
        dist.destroy_process_group()
        sys.excepthook = hook
