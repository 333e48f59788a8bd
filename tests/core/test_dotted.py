from ctexp.core.dotted import flattened, nested


def test_values_get_the_names_that_overrides_use() -> None:
    document = {"seed": 1, "data": {"fold": None, "deep": {"er": [1, 2]}}, "empty": {}}
    assert flattened(document) == {"seed": 1, "data.fold": None, "data.deep.er": [1, 2]}


def test_what_was_taken_apart_is_put_together() -> None:
    document = {"data": {"fold": 1, "name": "phantom"}, "seed": 3, "a": {"b": {"c": None}}}
    assert nested(flattened(document)) == document
