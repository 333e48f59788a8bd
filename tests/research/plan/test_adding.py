"""An experiment is added to a plan, and every byte that people wrote is still there."""

import pytest

from ctexp.research.plan.adding import added, beginning
from ctexp.research.plan.load import parse

BLOCK = """\
# ours
experiments:
    a: {}        # first
    b:
        description: |
            several lines

            # not a remark
    # an idea for later

# below the experiments
gates:   {}
"""


def insert(text: str, name: str = "new") -> str | None:
    result = added(text.encode(), "plan.yaml", name, "What: a 'new' one", "claim")
    return None if result is None else result.decode()


def lines_more(before: str, after: str) -> list[str]:
    """The lines that came in, after holding that nothing else changed."""
    old, new = before.splitlines(), after.splitlines()
    more = [line for line in new if line not in old]
    assert [line for line in new if line not in more] == old
    return more


def test_it_stands_after_the_last_and_remarks_stay_where_they_were() -> None:
    text = insert(BLOCK)
    assert text is not None
    assert text.replace("".join(f"{line}\n" for line in lines_more(BLOCK, text)), "") == BLOCK
    assert text.index("idea for later") < text.index("    new:") < text.index("# below the experiments")
    plan = parse(text.encode(), "plan.yaml")
    assert list(plan.experiments) == ["a", "b", "new"]
    assert (plan.experiments["new"].name, plan.experiments["new"].kind) == ("What: a 'new' one", "claim")
    assert [sub.id for sub in plan.experiments["new"].subs] == ["new"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing yet\n",
        "gates: {}\n",
        "experiments:\n",
        "experiments: # none yet\ngates:\n",
        "experiments:\n- id: a\n- id: b\n\ngates: {}\n",
        "experiments:\n  - id: a\n    name: A\n",
        "experiments:\n  a: {}",
        "experiments:\n  a: {}\n...\n",
        "\ufeffexperiments:\n  a: {}\ngates: {}\n",
        "experiments:\r\n  a: {}\r\ngates: {}\r\n",
        beginning("it's: mine").decode(),
    ],
)
def test_it_can_be_added_to_what_people_write(text: str) -> None:
    after = insert(text)
    assert after is not None
    before = parse(text.encode(), "plan.yaml")
    plan = parse(after.encode(), "plan.yaml")
    assert plan.project == before.project
    assert list(plan.experiments) == [*before.experiments, "new"]
    assert ("\r\n" in after) == ("\r\n" in text)
    if text:
        assert lines_more(text, after)


@pytest.mark.parametrize("name", ["null", "1", "1e3", "true", "no", "2024-01-01"])
def test_an_id_that_yaml_would_take_for_something_else_stays_text(name: str) -> None:
    after = insert("experiments:\n  a: {}\n", name)
    assert after is not None
    experiment = parse(after.encode(), "plan.yaml").experiments[name]
    assert [sub.id for sub in experiment.subs] == [name]


@pytest.mark.parametrize(
    "text",
    [
        "experiments: {a: {}}\n",
        "{experiments: {}}\n",
        "experiments: {}\n",
        "experiments:\n  a:\n    description: |+\n      kept\n\n\n",
        "gates: {}\n...\n",
    ],
)
def test_where_it_would_mean_rewriting_it_is_not_done(text: str) -> None:
    assert insert(text) is None
