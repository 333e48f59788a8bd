"""Where code can be changed, and how: cosmic-ray's operators, and statements left out."""

import importlib.util
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import parso
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Example, Operator
from cosmic_ray.plugins import get_operator, operator_names

# One change of a kind and place: eleven replacements of one `+` say no more than one. `|` mostly joins types.
_CHOSEN = re.compile(
    r"core/(AddNot|ExceptionReplacer|NumberReplacer|ZeroIterationForLoop"
    r"|Replace(True|False|And|Or|Break|Continue)With\w+|ReplaceUnaryOperator_(Delete_\w+|USub_UAdd)"
    r"|ReplaceComparisonOperator_(Eq_NotEq|NotEq_Eq|Lt_(LtE|GtE)|LtE_(Lt|Gt)|Gt_(GtE|LtE)|GtE_(Gt|Lt)"
    r"|Is_IsNot|IsNot_Is)"
    r"|ReplaceBinaryOperator_(Add_Sub|Sub_Add|Mul_Div|Div_Mul|FloorDiv_Mul|Mod_Mul|Pow_Mul|BitAnd_BitOr))"
)


class LeftOut(Operator):  # type: ignore[misc] # cosmic-ray has no types
    """A call, a `raise` or an assignment to a part of something, replaced by `pass`."""

    def mutation_positions(self, node: Any) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
        """Where the statement stands."""
        if node.type == "simple_stmt" and self._acts(node.children[0]):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:  # noqa: ARG002 - the base class's
        """The statement without what it did."""
        node.children[0] = parso.parse(node.get_first_leaf().prefix + "pass").children[0]
        return node

    @classmethod
    def examples(cls) -> Sequence[Example]:
        """One."""
        return (Example("begin()\n", "pass\n"),)

    @staticmethod
    def _acts(node: Any) -> bool:
        of = node.children[0] if node.type == "expr_stmt" else node
        return of.type in {"atom_expr", "raise_stmt"}


OPERATORS: dict[str, Operator] = {
    "LeftOut": LeftOut(),
    **{
        name.removeprefix("core/"): get_operator(name)()
        for name in operator_names()
        if _CHOSEN.fullmatch(name)
    },
}


class Place(NamedTuple):
    """One change: `occurrence` of an operator in a file."""

    file: Path
    line: int
    operator: str
    occurrence: int


def found(file: Path) -> list[Place]:
    """Every change of a file."""
    nodes = list(ast_nodes(get_ast(file.read_text())))
    return [
        Place(file, start[0], name, number)
        for name, operator in OPERATORS.items()
        for number, (node, (start, _)) in enumerate(
            (node, position) for node in nodes for position in operator.mutation_positions(node)
        )
        if node.parent is None or node.parent.type != "parameters"  # `*` and `/` between them
    ]


@contextmanager
def changed(place: Place) -> Iterator[str | None]:
    """Change the file, and change it back; yields what was changed, None where no Python would come of it."""
    old = place.file.read_text()
    new: str = mutate_code(old, OPERATORS[place.operator], place.occurrence)
    try:
        compile(new, place.file, "exec")
    except SyntaxError:
        yield None
        return
    try:
        _write(place.file, new)
        yield f"{old.splitlines()[place.line - 1].strip()}  ->  {_line(new, place)}"
    finally:
        _write(place.file, old)


def _line(new: str, place: Place) -> str:
    return "pass" if place.operator == "LeftOut" else new.splitlines()[place.line - 1].strip()


def _write(file: Path, text: str) -> None:
    # What is compiled is told apart by size and second alone: two changes of a second would be one.
    Path(importlib.util.cache_from_source(str(file))).unlink(missing_ok=True)
    file.write_text(text)
