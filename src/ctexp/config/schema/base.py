"""What every part of the configuration is made of: exact types, and the kinds of value that recur."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from ctexp.core.names import ID_PATTERN

Fraction = Annotated[float, Field(ge=0, le=1)]
BelowOne = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Id = Annotated[
    str,
    Field(
        pattern=f"^{ID_PATTERN.pattern}$",
        description="a name of at most 64 lower-case letters, digits, '_' and '-'",
    ),
]
PathText = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]+$", description="a path")]


_get = object.__getattribute__  # twice as fast as by way of `super()`


class Strict(BaseModel):
    """Exact types, no unknown keys, finite numbers, no change after validation.

    Once watched it notes which of its attributes are asked for by name, in a fraction of a microsecond each;
    dumping and comparing ask for none but the name of a variant. `config.reading` tells what nobody has.
    """

    __slots__ = ("_asked",)
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    def __getattribute__(self, name: str) -> Any:
        value = _get(self, name)
        if name[0] == "_":
            return value
        try:
            asked: set[str] = _get(self, "_asked")
        except AttributeError:  # nobody watches
            return value
        asked.add(name)
        return value

    def watch(self) -> None:
        """Note from here on which attributes are asked for, those of the parts below too."""
        for part in vars(self).values():
            if isinstance(part, Strict):
                part.watch()
        object.__setattr__(self, "_asked", set())

    def unwatched(self) -> Self:
        """A copy to look at without using it, for descriptions and advice."""
        return self.model_copy(deep=True)

    def asked(self) -> frozenset[str] | None:
        """The attributes that were asked for since `watch`; None where nobody watches."""
        return frozenset(self._asked) if hasattr(self, "_asked") else None
