import numpy as np
import pytest

from ctexp.core.errors import UsageError
from ctexp.research.runner.values import document, number
from tests.research.runner.desks import Said


class Tensor:
    """What torch's tensors do: they have to be detached, and brought back from the GPU, first."""

    def __init__(self, values: object, *, on_gpu: bool = True, requires_grad: bool = True) -> None:
        self._values, self._on_gpu, self._requires_grad = values, on_gpu, requires_grad

    def detach(self) -> "Tensor":
        return Tensor(self._values, on_gpu=self._on_gpu, requires_grad=False)

    def cpu(self) -> "Tensor":
        return Tensor(self._values, on_gpu=False, requires_grad=self._requires_grad)

    def tolist(self) -> object:
        assert not self._on_gpu
        assert not self._requires_grad
        return self._values


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3),
        (0.25, 0.25),
        (True, 1),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7),
        (np.bool_(True), 1),
        (np.array(0.5), 0.5),
        (np.array([[0.5]]), 0.5),
        (Tensor(0.5), 0.5),
        (Tensor([0.5]), 0.5),
        (None, None),
    ],
)
def test_one_number_however_it_is_wrapped(value: object, expected: float | None) -> None:
    said = Said()
    found = number(value, "loss", said)
    assert found == expected
    assert type(found) in (int, float, type(None))
    assert not said


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), np.float32("nan"), Tensor(float("inf"))])
def test_what_is_not_finite_is_null_and_told(value: object) -> None:
    said = Said()
    assert number(value, "loss", said) is None
    (line,) = said
    assert line.startswith("loss is ")
    assert line.endswith("kept as null")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (np.zeros((2, 3)), "loss: one number is expected, got 2x3 of them"),
        (Tensor([1.0, 2.0]), "loss: one number is expected, got 2 of them"),
        ([], "loss: one number is expected, got 0 of them"),
        ("0.5", "loss: a number is expected, got str"),
        ({}, "loss: a number is expected, got dict"),
        (1j, "loss: a number is expected, got complex"),
    ],
)
def test_what_is_no_number_is_refused_by_name(value: object, problem: str) -> None:
    with pytest.raises(UsageError) as refused:
        number(value, "loss", Said())
    assert refused.value.problems == (problem,)


def test_a_document_is_plain_all_the_way_down() -> None:
    said = Said()
    value = {"table": np.arange(6).reshape(2, 3), 4: (Tensor([0.5, float("nan")]), {"a"}), "none": None}
    assert document(value, "all", said) == {
        "table": [[0, 1, 2], [3, 4, 5]],
        "4": [[0.5, None], ["a"]],
        "none": None,
    }
    assert said == ["all.4[0][1] is nan; it is kept as null"]


def test_a_document_names_the_way_to_what_json_cannot_hold() -> None:
    with pytest.raises(UsageError, match=r"^all\.deep\[1\]: JSON cannot hold object$"):
        document({"deep": [1, object()]}, "all", Said())
