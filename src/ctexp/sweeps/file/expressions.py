"""Conditions on the values of parameters: `loss == 'focal' and optimizer.lr * data.batch_size < 0.01`.

Python's own grammar, of which numbers, texts, lists, comparisons, `and`, `or`, `not`, `in` and arithmetic are
taken, and the dotted keys of parameters. Nothing is called, nothing has attributes, and no number grows
beyond a float, so that a file can neither do anything nor take forever.
"""

import ast
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ctexp.core.errors import UsageError
from ctexp.sweeps.space import Values

_MOST_CHARACTERS = 1000
_DEEPEST = 100
_WORDS = {"true": True, "false": False, "null": None}

_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: lambda base, exponent: float(base) ** float(exponent),
}
_ORDER: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class _Lacking(Exception):
    """A parameter that is computed with does not apply."""


@dataclass(frozen=True)
class Condition:
    """A condition that was read.

    Attributes:
        text: as written.
        names: the parameters it speaks of.
        lacking: what it is where it computes with a parameter that does not apply: a constraint on such a
            parameter is not broken, what depends on it does not apply either.
        tree: its grammar.
    """

    text: str
    names: tuple[str, ...]
    lacking: bool
    tree: ast.expr = field(repr=False, compare=False)

    def holds(self, values: Values) -> bool:
        """Whether it is true of these values; a parameter that does not apply is None in it."""
        try:
            return bool(_value(self.tree, values))
        except _Lacking:
            return self.lacking
        except (ArithmeticError, TypeError, ValueError):  # a division by nothing, text beside a number
            return False


def read(text: str, *, lacking: bool) -> Condition:
    """Read a condition.

    Args:
        text: as written.
        lacking: see `Condition`.

    Raises:
        UsageError: it is none.
    """
    if len(text) > _MOST_CHARACTERS:
        raise UsageError(f"{len(text)} characters, more than the {_MOST_CHARACTERS} a condition may have")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(f"{text!r} is no condition; write it like: loss == 'focal'") from error
    if _depth(tree) > _DEEPEST:
        raise UsageError(f"nested more than {_DEEPEST} deep; write it as several")
    names = tuple(dict.fromkeys(_names(tree, text)))
    if not names:
        raise UsageError(f"{text!r} speaks of no parameter: it is always or never true")
    return Condition(text, names, lacking, tree)


def _depth(tree: ast.AST) -> int:
    """How many parts of a condition lie within each other, at most."""
    depth, level = 0, [tree]
    while level:
        depth, level = depth + 1, [inner for node in level for inner in ast.iter_child_nodes(node)]
    return depth


def _names(node: ast.expr, text: str) -> Iterator[str]:
    """The parameters that a condition speaks of.

    Raises:
        UsageError: it holds more than conditions may.
    """
    match node:
        case ast.Constant(value=str() | int() | float() | None):
            return
        case ast.Name(id=name) if name in _WORDS:
            return
        case ast.Name() | ast.Attribute():
            yield _dotted(node, text)
        case ast.BoolOp(values=inner) | ast.List(elts=inner) | ast.Tuple(elts=inner):
            for one in inner:
                yield from _names(one, text)
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.UAdd(), operand=one):
            yield from _names(one, text)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _ARITHMETIC:
            yield from _names(left, text)
            yield from _names(right, text)
        case ast.Compare(left=left, ops=signs, comparators=others):
            if any(isinstance(sign, ast.Is | ast.IsNot) for sign in signs):
                raise UsageError(f"{text!r}: write == or != for `is`")
            for one in (left, *others):
                yield from _names(one, text)
        case _:
            part = ast.unparse(node)
            raise UsageError(
                f"{text!r}: {part!r} is not allowed; a condition has keys, values, comparisons, arithmetic, "
                "and, or, not, in"
            )


def _dotted(node: ast.expr, text: str) -> str:
    """`optimizer.lr` of the nodes that stand for it."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        raise UsageError(f"{text!r}: {ast.unparse(node)!r} has no parts")
    return ".".join([node.id, *reversed(parts)])


def _value(node: ast.expr, values: Values) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name) if name in _WORDS:
            return _WORDS[name]
        case ast.Name() | ast.Attribute():
            return values.get(_dotted(node, ""))
        case ast.List(elts=inner) | ast.Tuple(elts=inner):
            return [_value(one, values) for one in inner]
        case ast.BoolOp(op=ast.And(), values=inner):
            return all(_value(one, values) for one in inner)
        case ast.BoolOp(values=inner):
            return any(_value(one, values) for one in inner)
        case ast.UnaryOp(op=ast.Not(), operand=one):
            return not _value(one, values)
        case ast.UnaryOp(op=sign, operand=one):
            return -_number(one, values) if isinstance(sign, ast.USub) else _number(one, values)
        case ast.BinOp(left=left, op=sign, right=right):
            return _ARITHMETIC[type(sign)](_number(left, values), _number(right, values))
        case ast.Compare(left=left, ops=signs, comparators=others):
            found = [_value(one, values) for one in (left, *others)]
            return all(map(_compared, signs, found, found[1:]))
    raise AssertionError(f"{ast.dump(node)}: not among what is read")


def _number(node: ast.expr, values: Values) -> float:
    value = _value(node, values)
    if value is None:
        raise _Lacking
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no number")
    return value


def _compared(sign: ast.cmpop, left: Any, right: Any) -> bool:
    if isinstance(sign, ast.Eq):
        return bool(left == right)
    if isinstance(sign, ast.NotEq):
        return bool(left != right)
    try:
        if isinstance(sign, ast.In):
            return left in right
        if isinstance(sign, ast.NotIn):
            return left not in right
        return _ORDER[type(sign)](left, right)
    except TypeError as error:
        if left is None or right is None:
            raise _Lacking from error
        raise
