"""Figures: numbers that know their interval and where they came from, and how they stand in a sentence.

figure    a number, its interval, its source
words     the same as people read it, and read back out of a text
"""

from ctexp.research.figures.figure import Cited, Compared, Derived, Figure, Formula, Reported, Source, Step
from ctexp.research.figures.words import Form, Quote, quotes, told

__all__ = [
    "Cited",
    "Compared",
    "Derived",
    "Figure",
    "Form",
    "Formula",
    "Quote",
    "Reported",
    "Source",
    "Step",
    "quotes",
    "told",
]
