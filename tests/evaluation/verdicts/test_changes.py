"""What became right and wrong, by image and class."""

import numpy as np
from sklearn.metrics import f1_score, precision_score, recall_score

from ctexp.core.classes import CLASSES
from ctexp.evaluation.answers import Answers
from ctexp.evaluation.predictions import Predictions
from ctexp.evaluation.verdicts.changes import changes, spreads
from ctexp.record.subjects import Subject
from tests import judged

SUBJECT = Subject("a", "a", "name", ())


def of(table: Predictions) -> Answers:
    return Answers(SUBJECT, "val", {1: table})


def test_images_that_changed_sides_are_named() -> None:
    before, after = judged.predictions(200, 1.0, seed=1), judged.predictions(200, 2.0, seed=2)
    was, is_ = (table.logits.argmax(axis=1) == table.label for table in (before, after))
    found = changes(of(before), of(after))
    rows = range(200)
    assert found.newly_wrong == tuple(before.image_id[i] for i in rows if was[i] and not is_[i])
    assert found.newly_right == tuple(before.image_id[i] for i in rows if is_[i] and not was[i])
    assert sum(its.newly_right for its in found.classes.values()) == len(found.newly_right)
    assert sum(its.newly_wrong for its in found.classes.values()) == len(found.newly_wrong)
    assert len(found.newly_right) > len(found.newly_wrong) > 0


def test_classes_agree_with_scikit_learn() -> None:
    before, after = judged.predictions(200, 1.0, seed=1), judged.predictions(200, 2.0, seed=2)
    found = changes(of(before), of(after)).classes
    for table, side in ((before, "baseline"), (after, "candidate")):
        for name, score in (("recall", recall_score), ("precision", precision_score), ("f1", f1_score)):
            expected = score(table.label, table.logits.argmax(axis=1), average=None)
            values = [getattr(getattr(found[cls], name), side) for cls in CLASSES]
            np.testing.assert_allclose(values, expected, atol=1e-12)


def test_a_class_without_images_has_no_numbers() -> None:
    table = judged.predictions(40, 9.0)
    table = table.at(np.flatnonzero(table.label != 2))
    found = changes(of(table), of(table)).classes[CLASSES[2]]
    assert (found.images, found.recall.baseline, found.f1.candidate) == (0, None, None)


def test_the_spread_of_seeds_is_that_of_their_values() -> None:
    tables = {seed: judged.predictions(100, 1.0, seed=seed) for seed in (3, 4, 5)}
    (found,) = spreads(Answers(SUBJECT, "val", tables), ("accuracy",)).values()
    values = [float((its.logits.argmax(axis=1) == its.label).mean()) for its in tables.values()]
    assert found.values == dict(zip(["3", "4", "5"], values, strict=True))
    assert found.sd == np.std(values, ddof=1)
    one = spreads(of(tables[3]), ("accuracy",))
    assert one["accuracy"].sd is None
