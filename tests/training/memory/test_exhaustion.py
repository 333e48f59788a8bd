"""Which errors of torch, CUDA and its libraries mean that memory has run out."""

import pytest
import torch

from ctexp.training.memory.exhaustion import exhausted


@pytest.mark.parametrize(
    ("error", "where"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB."), "the GPU"),
        (torch.AcceleratorError("CUDA error: out of memory"), "the GPU"),
        (
            RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
            "the GPU",
        ),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), "the GPU"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), "the machine"),
        (MemoryError(), "the machine"),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), None),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), None),
        (ValueError("CUDA error: out of memory"), None),
    ],
)
def test_which_memory_has_run_out(error: Exception, where: str | None) -> None:
    assert exhausted(error) == where
