"""The dotted keys a configuration has, what each expects, and the nearest one to a misspelt key.

All of it is read from the schema's JSON form, so that it cannot disagree with what validation does.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cache
from typing import Any, Literal

from ctexp.config.schema import Settings

GROUPS = (
    "model",
    "data",
    "sampler",
    "augment",
    "features",
    "finetune",
    "loss",
    "optimizer",
    "scheduler",
    "averaging",
    "trainer",
    "inference",
    "logger",
)
"""The groups that must be chosen, each a top-level key and a folder of `conf/`."""

EXPERIMENT = "experiment"
"""The one group that may be left out: a file that chooses and sets across the others."""

_ELSEWHERE = {
    "learning_rate": "optimizer.lr",
    "arch": "model",
    "architecture": "model",
    "backbone": "model",
}
"""What other projects call a key whose name here is not like it."""

_Json = dict[str, Any]


@dataclass(frozen=True)
class Key:
    """One place in the configuration.

    Attributes:
        name: dotted, for example `optimizer.lr`.
        kind: what stands there: further keys, a list, any text, or another value.
        expected: the values it takes, in words.
        options: the values by name, where there are few.
        variants: the choices of its group that have it; empty where all do.
        nullable: whether it may be null.
    """

    name: str
    kind: Literal["keys", "list", "text", "value"]
    expected: str
    options: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    nullable: bool = False


@cache
def keys() -> dict[str, Key]:
    """Every key by its dotted name, in the schema's order."""
    schema = Settings.model_json_schema()
    found: dict[str, Key] = {}
    for key in _walk(schema, schema["$defs"], ""):
        if key.name in found:  # in another variant of its group
            before = found[key.name]
            options = tuple(dict.fromkeys(before.options + key.options))
            key = replace(
                key,
                expected=_one_of(options) if options else before.expected,
                options=options,
                variants=before.variants + key.variants,
            )
        found[key.name] = key
    return found


def is_variant_name(name: str) -> bool:
    """Whether `optimizer.name` or the like: it stands for a whole group of keys and is set by the group."""
    variants = keys()[name].variants
    return len(variants) > 1 and keys()[name].options == variants


def nearest_key(name: str) -> str:
    """`did you mean 'optimizer.lr'?` for a misspelt, misplaced or bare key; else where to look."""
    if (usual := _ELSEWHERE.get(name.rpartition(".")[2])) is not None:
        return f"did you mean {usual!r}?"
    scored = sorted(
        ((_likeness(name, candidate), candidate) for candidate in [*keys(), EXPERIMENT]), reverse=True
    )
    (likeness, _), nearest = scored[0]
    if likeness >= 0.6:
        # A bare `name` is the end of several keys: say them all.
        same = [key for score, key in scored if score[0] == 1 and "." not in name]
        return f"did you mean {' or '.join(repr(key) for key in sorted(same) or [nearest])}?"
    parent = keys().get(name.rpartition(".")[0])
    if parent is not None:
        below = [key.rpartition(".")[2] for key in keys() if key.rpartition(".")[0] == parent.name]
        return f"{parent.name} has {', '.join(below)}" if below else f"{parent.name} is {parent.expected}"
    return "`scripts/inv train --cfg` prints every key"


def _likeness(given: str, candidate: str) -> tuple[float, float]:
    """How alike two keys are: by their last parts; ties are decided by the whole."""
    whole = SequenceMatcher(None, given.lower(), candidate).ratio()
    if "." in given and "." not in candidate:
        return 0.0, whole
    ends = given.lower().rpartition(".")[2], candidate.rpartition(".")[2]
    if ends[0] != ends[1] and sorted(ends[0]) == sorted(ends[1]):  # `modle` is `model`, sooner than `mode`
        return 0.99, whole
    return SequenceMatcher(None, *ends).ratio(), whole


def _walk(node: _Json, definitions: _Json, prefix: str, variants: tuple[str, ...] = ()) -> Iterator[Key]:
    """Every key below an object of the JSON schema."""
    for name, raw in node["properties"].items():
        dotted = f"{prefix}{name}"
        child, nullable = _without_null(_followed(raw, definitions), definitions)
        or_null = ", or null" if nullable else ""
        if "oneOf" in child:
            yield Key(dotted, "keys", "keys below it")
            for variant, reference in child["discriminator"]["mapping"].items():
                branch = _followed({"$ref": reference}, definitions)
                yield from _walk(branch, definitions, f"{dotted}.", (variant,))
        elif "properties" in child:
            below = ", ".join(f"{dotted}.{part}" for part in child["properties"])
            yield Key(dotted, "keys", f"the keys {below}{or_null}", (), variants, nullable)
            yield from _walk(child, definitions, f"{dotted}.", variants)
        else:
            options = _options(child)
            expected = _in_words(child, options, definitions) + or_null
            yield Key(dotted, _kind(child, options), expected, options, variants, nullable)


def _kind(node: _Json, options: tuple[str, ...]) -> Literal["list", "text", "value"]:
    if node["type"] == "array":
        return "list"
    return "text" if node["type"] == "string" and not options else "value"


def _options(node: _Json) -> tuple[str, ...]:
    """The only values there are; none where it may be any of a type."""
    return tuple(str(option) for option in node.get("enum", [node.get("const")]) if option)


def _followed(node: _Json, definitions: _Json) -> _Json:
    """What a `$ref` points to."""
    if "$ref" in node:
        target: _Json = definitions[node["$ref"].rpartition("/")[2]]
        return target
    return node


def _without_null(node: _Json, definitions: _Json) -> tuple[_Json, bool]:
    """The node without its null alternative, and whether it had one."""
    alternatives = node.get("anyOf", [])
    others = [option for option in alternatives if option.get("type") != "null"]
    if len(others) == 1 and len(alternatives) == 2:
        return _followed(others[0], definitions), True
    return node, False


def _in_words(node: _Json, options: tuple[str, ...], definitions: _Json) -> str:
    """`a whole number from 1 to 4096`."""
    if "description" in node:
        return str(node["description"])
    if options:
        return _one_of(options)
    if node["type"] == "array":
        item = _followed(node["items"], definitions)
        return f"a list [a,b], each {_in_words(item, _options(item), definitions)}"
    if node["type"] == "string":
        return f"text of {node.get('minLength', 0)} to {node['maxLength']} characters"
    if node["type"] == "boolean":
        return "true or false"
    return ("a whole number" if node["type"] == "integer" else "a number") + _range(node)


def _one_of(options: tuple[str, ...]) -> str:
    return f"one of {', '.join(options)}" if len(options) > 1 else options[0]


def _range(node: _Json) -> str:
    """` from 1 to 4096`, ` above 0`, ` from 0 to below 1`; nothing where there is no limit."""
    low, above = node.get("minimum"), node.get("exclusiveMinimum")
    high, below = node.get("maximum"), node.get("exclusiveMaximum")
    upper = f"to {high}" if high is not None else f"to below {below}" if below is not None else ""
    if low is not None:
        return f" from {low} {upper}" if upper else f" of at least {low}"
    if above is not None:
        return f" above {above} {upper.replace('to below', 'and below').replace('to', 'up to')}".rstrip()
    return f" {upper}".rstrip()
