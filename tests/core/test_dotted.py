from ctexp.core.dotted import flattened


def test_values_get_the_names_that_overrides_use() -> None:
    document = {"seed": 1, "data": {"fold": None, "deep": {"er": [1, 2]}}, "empty": {}}
    assert flattened(document) == {"seed": 1, "data.fold": None, "data.deep.er": [1, 2]}
