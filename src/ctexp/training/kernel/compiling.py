"""torch.compile, tried before it is counted on."""

import torch
from torch import Tensor, nn

from ctexp.core.errors import PreflightError

_VARIANTS = 64
"""How many forms of a network may be compiled: in training and in evaluation, and anew as each stage begins
to learn. The library stops at eight, and is as slow from there as if nothing had been compiled."""


def require_compiler(device: torch.device) -> None:
    """Compile a single operation here and now.

    What torch.compile needs (a C++ compiler, on a GPU Triton) is missing on many machines, and would be
    missed minutes into the run.

    Raises:
        PreflightError: nothing can be compiled on this machine.
    """
    try:
        torch.compile(_trial)(torch.zeros(2, device=device))
    except Exception as error:
        # Compilers fail in as many ways as there are machines; all of them mean the same here.
        raise PreflightError(
            f"trainer.compile=true: torch.compile does not work here ({_first_line(error)})",
            "install a C++ compiler such as g++, or set trainer.compile=false",
        ) from error


def compile_network(model: nn.Module) -> None:
    """Let a network compile itself at its first step, in place; the names of its weights stay."""
    torch._dynamo.config.recompile_limit = _VARIANTS
    model.compile()


def _trial(numbers: Tensor) -> Tensor:
    return numbers.sin() + 1


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
