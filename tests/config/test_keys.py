"""What error messages say of a key comes from the schema, all of it."""

import pytest

from ctexp.config.keys import GROUPS, is_variant_name, keys, nearest_key
from ctexp.config.schema import Settings


def test_every_key_of_the_schema_is_known_and_described() -> None:
    assert {name for name in keys() if "." not in name} == set(Settings.model_fields)
    assert set(GROUPS) < set(Settings.model_fields)
    for key in keys().values():
        assert key.expected
        assert key.name == "seed" or "." in key.name or key.kind == "keys"


def test_a_key_of_one_variant_knows_whose_it_is() -> None:
    assert keys()["optimizer.momentum"].variants == ("sgd",)
    assert set(keys()["optimizer.lr"].variants) == {"adamw", "lion", "sgd"}
    assert keys()["data.name"].variants == ()
    assert [name for name in keys() if name.endswith(".name") and is_variant_name(name)] == [
        "loss.name",
        "optimizer.name",
        "scheduler.name",
        "averaging.name",
    ]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("data.image_size", "a whole number from 16 to 1024"),
        ("data.std", "a number above 0 up to 1"),
        ("scheduler.factor", "a number above 0 and below 1"),
        ("optimizer.weight_decay", "a number of at least 0"),
        ("trainer.gradient_clip", "a number above 0, or null"),
        ("model.pretrained", "true or false"),
        ("run.tags", "a list [a,b], each text of 1 to 64 characters"),
        ("optimizer.name", "one of adamw, lion, sgd"),
    ],
)
def test_expectations_in_words(key: str, expected: str) -> None:
    assert keys()[key].expected == expected


@pytest.mark.parametrize("name", sorted(keys()))
def test_a_letter_too_many_is_found_again(name: str) -> None:
    assert repr(name) in nearest_key(f"{name}x")
