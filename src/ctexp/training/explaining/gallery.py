"""The worst mistakes with their pictures, as the document of mistakes holds them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ctexp.data.catalog import Catalog
from ctexp.evaluation.answers import Answers
from ctexp.evaluation.mistakes import images
from ctexp.evaluation.mistakes.attributes import Attributes
from ctexp.evaluation.mistakes.cases import Cases
from ctexp.evaluation.mistakes.document import Explanation, Picture
from ctexp.training.explaining import pictures
from ctexp.training.explaining.explain import Explained, explain
from ctexp.training.explaining.sanity import DRAWS, THRESHOLD

METHOD = "Grad-CAM of the logit of the class given, one view of each image"


@dataclass(frozen=True)
class Gallery:
    """The worst mistakes.

    Attributes:
        explanation: of all of them; None where there are none.
        pictures: one a mistake.
        files: JPEGs by name.
    """

    explanation: Explanation | None
    pictures: tuple[Picture, ...]
    files: Mapping[str, bytes]


def gallery(
    answers: Answers,
    cases: Cases,
    known: Attributes,
    catalog: Catalog,
    root: Path,
    count: int,
    progress: Callable[[int, int], None],
) -> Gallery:
    """Explain and draw the surest mistakes.

    Args:
        answers: of the subject.
        cases: made of them.
        known: what is known of the images.
        catalog: the data set; images that it does not hold as they were judged are passed over.
        root: the project's folder.
        count: how many at most.
        progress: told of images done, of all.

    Raises:
        DataError: images, checkpoints or features are missing, damaged or others than they were.
    """
    rows = {row.image_id: row for row in catalog.rows}
    places = [
        int(place)
        for place in images.confident_mistakes(cases)
        if (row := rows.get(cases.image_id[place])) is not None and row.sha256 == cases.sha256[place]
    ][:count]
    wanted = {cases.image_id[place]: int(cases.called[place]) for place in places}
    found = explain(answers, wanted, rows, catalog.raw, root, progress)
    telling = {name: its for name, its in known.columns.items() if len(set(its)) > 1}
    files: dict[str, bytes] = {}
    drawn = []
    for number, (place, judged, one) in enumerate(
        zip(places, images.judged(cases, places), found, strict=True), start=1
    ):
        picture, overlay = f"{number:03d}.jpg", f"{number:03d}_map.jpg"
        files[picture] = pictures.plain(one.grey)
        if one.heat.any():
            files[overlay] = pictures.overlay(one.grey, one.heat)
        drawn.append(
            Picture(
                judged=judged,
                run=one.run_id,
                picture=picture,
                overlay=overlay if one.heat.any() else "",
                outside=one.gaze.outside,
                area_outside=one.gaze.area,
                looks_away=one.gaze.looks_away,
                facts={name: value for name, its in telling.items() if (value := its[place])},
            )
        )
    return Gallery(_explanation(found), tuple(drawn), files)


def _explanation(found: Sequence[Explained]) -> Explanation | None:
    if not found:
        return None
    likeness = [like for one in found for like in one.likeness]
    sanity = float(np.mean(likeness)) if likeness else None
    gazes = [
        (one.gaze.outside, one.gaze.area)
        for one in found
        if one.gaze.outside is not None and one.gaze.area is not None
    ]
    outside, area = (float(np.mean(side)) for side in zip(*gazes, strict=True)) if gazes else (None, None)
    return Explanation(
        method=METHOD,
        layers={one.run_id: one.layer for one in found},
        images=len(found),
        empty=sum(not one.heat.any() for one in found),
        sanity=sanity,
        threshold=THRESHOLD,
        suspicious=sanity is not None and sanity > THRESHOLD,
        compared=len(likeness),
        of=DRAWS * len(found),
        outside=outside,
        area_outside=area,
        looks_away=outside is not None and area is not None and outside >= area > 0,
    )
