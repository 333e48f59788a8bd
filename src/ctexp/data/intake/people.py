"""What is known of the people in the images: the tags of DICOM files and a table, put together.

The table wins where both speak. Images of which it does not name the patient go with those of their DICOM
study or patient of which it does.

A patient's name that names nobody would tie unrelated images into one group, which no split could part. It is
taken for unknown, and that is said:

- words that anonymisers and people write for nobody, such as `ANONYMOUS` or `unknown`;
- only zeros in a DICOM tag; in a table they are a number like any other;
- a name that stands in all four classes: nobody's images are at once normal and of three kinds of cancer.

A study's images are of one person at any rate. Where no patient is known the other images of the DICOM study
tell, or else the study stands for one; and whoever is named, a study's images belong together.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ctexp.core.classes import CLASSES

PATIENT, STUDY = "patient", "study"

_NOBODY = {
    *("anon", "anonymous", "anonymised", "anonymized", "deidentified", "unknown", "patient", "none", "null"),
    *("nan", "na", "x", "xx", "xxx", "test", "removed"),
}


@dataclass(frozen=True)
class Known:
    """What is known of some images.

    Attributes:
        meta: of each, by name; nothing for what is unknown.
        notes: what a person should hear of it, one line each.
        warnings: what may have gone wrong, one line each.
    """

    meta: list[dict[str, str]]
    notes: list[str]
    warnings: list[str]


def put_together(
    classes: Sequence[str], tags: Sequence[Mapping[str, str]], told: Sequence[Mapping[str, str] | None]
) -> Known:
    """Put together what is known of each image.

    `told` has None for an image that the table has no line for.
    """
    notes: list[str] = []
    said = [dict(its) for its in tags]
    table = [dict(its or {}) for its in told]
    warnings = _conflicts(said, table)
    for name in (PATIENT, STUDY):
        warnings += _forget_nobody(name, said, classes, zeros=True)
        warnings += _forget_nobody(name, table, classes, zeros=False)
    followers = _followers(said, table)
    meta = [its | other | follows for its, other, follows in zip(said, table, followers, strict=True)]
    followed = sum(map(bool, followers))
    if followed:
        of = f"{followed:,} of {len(meta):,} images"
        notes.append(f"patient as the table says it of others of the same DICOM study or patient: {of}")
    notes += _name_by_study(meta)
    patients = Counter(known[PATIENT] for known in meta if PATIENT in known)
    if patients:
        of = f"{patients.total():,} of {len(meta):,} images"
        notes.append(f"patients, kept on one side of a split each: {len(patients):,}, of {of}")
    elif any(meta):
        notes.append(f"nothing is called {PATIENT!r}: only copies are kept on one side of a split")
    return Known(meta, notes, warnings)


def _conflicts(said: Sequence[Mapping[str, str]], table: Sequence[Mapping[str, str]]) -> list[str]:
    """Where table and tags contradict each other."""
    counts = Counter(
        name
        for its, other in zip(said, table, strict=True)
        for name, value in other.items()
        if its.get(name, value) != value
    )
    return [
        f"{name}: the table contradicts the DICOM tags, and is believed: {count:,} of {len(said):,} images"
        for name, count in counts.items()
    ]


def _forget_nobody(
    name: str, known: Sequence[dict[str, str]], classes: Sequence[str], *, zeros: bool
) -> list[str]:
    """Take out the values of `name` that stand for nobody, zeros among them or not; what to say of it."""
    classes_of: dict[str, set[str]] = defaultdict(set)
    for its, class_name in zip(known, classes, strict=True):
        if name in its:
            classes_of[its[name]].add(class_name)
    nobody = {
        value: "names nobody" if _is_nobody(value, zeros) else "stands in every class"
        for value, its_classes in classes_of.items()
        if _is_nobody(value, zeros) or len(its_classes) == len(CLASSES)
    }
    forgotten = Counter(its.pop(name) for its in known if its.get(name) in nobody)
    return [
        f"{name} {value!r} {nobody[value]}, taken for unknown: {count:,} of {len(known):,} images"
        for value, count in forgotten.items()
    ]


def _is_nobody(value: str, zeros: bool) -> bool:
    """Whether a name is empty, one of the words for nobody or, if they count as one, only zeros."""
    plain = re.sub(r"[\W_]+", "", value).casefold()
    return not (plain.strip("0") if zeros else plain) or plain in _NOBODY


def _name_by_study(meta: Sequence[dict[str, str]]) -> list[str]:
    """Name the patient of each image of a study that has none; what to say of it."""
    of_study: dict[str, set[str]] = defaultdict(set)
    for known in meta:
        if PATIENT in known and STUDY in known:
            of_study[known[STUDY]].add(known[PATIENT])
    follow = alone = 0
    for known in meta:
        if PATIENT in known or STUDY not in known:
            continue
        others = of_study[known[STUDY]]
        known[PATIENT] = next(iter(others)) if len(others) == 1 else f"study {known[STUDY]}"
        follow, alone = follow + (len(others) == 1), alone + (len(others) != 1)
    counts = {
        "patient unknown, that of the other images of the DICOM study taken": follow,
        "patient unknown, the DICOM study stands for one": alone,
    }
    return [f"{what}: {count:,} of {len(meta):,} images" for what, count in counts.items() if count]


def owners(meta: Mapping[str, str]) -> list[str]:
    """Who an image belongs to, as far as is known: images of one patient, or of one study, go together."""
    return [f"{name} {meta[name]}" for name in (PATIENT, STUDY) if name in meta]


def _followers(said: Sequence[Mapping[str, str]], table: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """For each image of which the table names no patient, the one it names for its study, or its patient."""
    named: dict[tuple[str, str], set[str]] = defaultdict(set)
    for its, other in zip(said, table, strict=True):
        if PATIENT in other:
            for name in (STUDY, PATIENT):
                named[name, its.get(name, "")].add(other[PATIENT])
    followers: list[dict[str, str]] = []
    for its, other in zip(said, table, strict=True):
        leaders = [named.get((name, its[name]), set()) for name in (STUDY, PATIENT) if name in its]
        sure = [patient for leader in leaders if len(leader) == 1 for patient in leader]
        followers.append({PATIENT: sure[0]} if sure and PATIENT not in other else {})
    return followers
