from pathlib import Path

import pytest

from ctexp.planning.plan.document import Base, Experiment, Gate, Improvement, Plan, Reserve, Threshold
from ctexp.planning.plan.load import load
from ctexp.planning.proposal.writing import text

HOSTILE = [
    "yes",
    "null",
    "1e-3",
    "1:30",
    "012",
    "- a list",
    "a: b",
    "ends in a colon:",
    "a # comment",
    "'quoted' \"twice\"",
    "{curly} [square], comma",
    "%percent &anchor *alias !tag",
    " spaces at both ends ",
    "two\nlines",
    "naïve ± 0.5 — “quoted” ☃",
    "${oc.env:HOME}",
    "word " * 80,
    "x" * 300,
    "",
]


def read_back(plan: Plan, folder: Path) -> Plan:
    file = folder / f"{plan.name}.yaml"
    file.write_text(text(plan, ["about it"], {"common": "what: all # have"}), encoding="ascii")
    return load(file, f"research/plans/{plan.name}.yaml").plan


@pytest.mark.parametrize("said", HOSTILE)
def test_any_text_comes_back_as_it_was(said: str, tmp_path: Path) -> None:
    plan = Plan(
        name="a-plan",
        goal=said,
        notes=said,
        common=["model=tiny_cnn"],
        experiments={"one": Experiment(hypothesis=said, expected=said, notes=said)},
    )

    assert read_back(plan, tmp_path) == plan


def test_every_part_of_a_plan_comes_back_as_it_was(tmp_path: Path) -> None:
    plan = Plan(
        name="whole",
        baseline="base",
        window="from 22:00 until 07:00",
        seeds=[4, 5],
        common=["augment.rotate=[1,2]", "~logger", "run.description='a, b: c'", "loss.alpha=0.25"],
        reserve=Reserve(disk="20GB", analysis="3m"),
        target=Threshold(metric="val/accuracy", op=">=", value=0.9),
        experiments={
            "base": Experiment(seeds=[1], priority=3),
            "other": Experiment(
                kind="cross-validate",
                overrides=["optimizer.lr=3e-5", "data.mean=-0.5"],
                needs=["base"],
                gate=Gate(after="base", metric="val/balanced_accuracy", op=">", value=0.3),
                success=Improvement(metric="val/macro_f1", better_than="baseline", by=0.05),
                track=["val/ece"],
                worth=1.5,
                fallback={"oom": ["data.batch_size=8", "optimizer.lr=1e-5"]},
                limit="2h",
                shorten=True,
            ),
            "best": Experiment(base=Base(best_of=["base", "other"], by="val/macro_f1"), seeds=[9]),
        },
    )

    assert read_back(plan, tmp_path) == plan


def test_prose_is_folded_and_the_same_plan_is_the_same_text(tmp_path: Path) -> None:
    long = "A sentence that goes on and on, and would not fit on a line of any screen that people use. " * 3
    plan = Plan(name="prose", experiments={"one": Experiment(hypothesis=long.strip())})

    written = text(plan, ["about it"], {})

    assert written == text(plan, ["about it"], {})
    assert "hypothesis: >-" in written
    assert all(len(line) <= 112 for line in written.splitlines())
    assert read_back(plan, tmp_path).experiments["one"].hypothesis == long.strip()
