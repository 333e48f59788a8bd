"""A plan's file: what is wrong with it is said at once, with its line, and nothing in it can hurt."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctexp.core import yaml_file
from ctexp.core.errors import UsageError
from ctexp.planning.plan.document import Plan
from ctexp.planning.plan.load import Loaded, load, locate

SHOWN = "research/plans/night.yaml"
SMALL = "experiments:\n  a:\n    overrides: [model=resnet18]\n"


def read(folder: Path, text: str | bytes) -> Loaded:
    file = folder / "night.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(file, SHOWN)


def refused(folder: Path, text: str | bytes) -> list[str]:
    """The problems, without the file's name."""
    with pytest.raises(UsageError) as caught:
        read(folder, text)
    assert all(problem.startswith(f"{SHOWN}:") for problem in caught.value.problems)
    return [problem.removeprefix(f"{SHOWN}:") for problem in caught.value.problems]


def test_a_plan_is_named_by_its_file_and_knows_its_lines(tmp_path: Path) -> None:
    loaded = read(tmp_path, "goal: >\n  long\n  text\n\n" + SMALL)
    assert loaded.plan.name == "night"
    assert loaded.plan.goal == "long text\n"
    assert loaded.line_of(("experiments",)) == 5
    assert loaded.line_of(("experiments", "a", "overrides", 0)) == 7
    assert loaded.line_of(("experiments", "a", "success", "by")) == 6  # not there: what it would be in
    assert loaded.at(("experiments", "a")) == f"{SHOWN}:6: experiments.a"
    copy = tmp_path / "plan.yaml"
    copy.write_bytes(loaded.path.read_bytes())
    assert load(copy, SHOWN).plan == loaded.plan


def test_everything_wrong_is_said_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    assert refused(
        tmp_path,
        """\
windw: 8h
window: 8
seeds: [1, 1]
cooldown: {puase: 3s, below: 10}
common: [a, 3]
reserve: {disk: 20}
experiments:
  Bad Id: {}
  x:
    gate: {after: y, metric: val/macrof1, op: "=>", value: high}
    success:
      metric: test/accuracy
      better_than: baselin
      value: 3
    fallback: {oomm: [a=1], oom: []}
    kind: trian
    limit: 30
  y: {success: {metric: train/f1, value: .nan}, base: {best_of: []}}
  z:
target: {metric: test_acc, op: ">=", value: 0.9}
""",
    ) == [
        "1: windw: unknown key; did you mean 'window'?",
        "2: window: '8' has no unit; write 8h, until 07:00, overnight, workday, weekend, or from 22:00 for "
        "8h",
        "4: cooldown.below: should be greater than or equal to 20, got 10",
        "4: cooldown.puase: unknown key; did you mean 'pause'?",
        "5: common.1: expected text, got 3",
        "6: reserve.disk: expected a number with its unit, for example 20GB, got '20'",
        "8: experiments.Bad Id: expected at most 64 lower-case letters, digits, '_' and '-', beginning with "
        "a letter or digit, got 'Bad Id'",
        "10: experiments.x.gate.metric: 'val/macrof1' is no metric; did you mean 'val/macro_f1'?",
        "10: experiments.x.gate.op: expected >= or > or <= or <, got '=>'; did you mean '>='?",
        "10: experiments.x.gate.value: expected a number, got 'high'",
        "12: experiments.x.success.metric: test/accuracy: the test split is sealed; nothing is chosen or "
        "judged by it at night: use val/",
        "13: experiments.x.success.better_than: expected baseline, got 'baselin'; did you mean 'baseline'?",
        "14: experiments.x.success.value: unknown key; choose one of: better_than, by, metric",
        "15: experiments.x.fallback.oomm: expected oom or diverged or timeout or data or other, got 'oomm'; "
        "did you mean 'oom'?",
        "15: experiments.x.fallback.oom: expected at least one, got []",
        "16: experiments.x.kind: expected train or cross-validate or sweep, got 'trian'; did you mean "
        "'train'?",
        "17: experiments.x.limit: '30' has no unit; write a number with its unit: 30s, 90m, 8h, 2d or 1h30m",
        "18: experiments.y.base.best_of: expected at least one, got []",
        "18: experiments.y.success.metric: train/f1: nothing is chosen or judged by training images: use "
        "val/",
        "18: experiments.y.success.op: missing",
        "18: experiments.y.success.value: expected a number, got '.nan'",
        "19: experiments.z: expected keys and values, got nothing",
        "20: target.metric: test_acc: the test split is sealed; nothing is chosen or judged by it at night: "
        "use val/",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seeds: [1, 1]\n" + SMALL, "1: seeds: one is given twice"),
        ("experiments:\n  a: {}\n  b:\n    seeds: [3, 3]\n", "4: experiments.b.seeds: one is given twice"),
        ("seeds: [-1]\n" + SMALL, "1: seeds.0: should be greater than or equal to 0, got -1"),
        ("name: day\n" + SMALL, "1: name: day is not what the file is called"),
        ("experiments: {}\n", "1: experiments: expected at least one, got {}"),
        ("", "1: experiments: missing"),
        ("goal: [a]\n" + SMALL, "1: goal: expected text, got ['a']"),
        ("- a\n", " expected keys and values (key: value), got a list"),
        ("goal: a\ngoal: b\n" + SMALL, "2: goal: given twice, first on line 1"),
        (SMALL + "  a: {}\n", "4: experiments.a: given twice, first on line 2"),
        ("goal: &x a\nnotes: *x\n" + SMALL, "1: goal: anchors (&name) are not allowed"),
        ("goal: !!python/object/apply:os.system [id]\n" + SMALL, "1: goal: tags (tag:yaml.org"),
        (SMALL + "---\n" + SMALL, "4: a second document begins (---); one file holds one"),
        ("goal: [\n", "2: not valid YAML"),
        ("experiments:\n\ta: {}\n", "2: not valid YAML (tabs cannot indent; use spaces)"),
        (b"goal: \xff\n", " not UTF-8 text (byte 6)"),
        ("goal: " + "x" * 20_001 + "\n" + SMALL, "1: goal: string should have at most 20000 characters"),
        ("experiments: {a: {overrides: no}}\n", "1: experiments.a.overrides: expected a list, got 'no'"),
        ("retries: true\n" + SMALL, "1: retries: expected a whole number, got True"),
        (SMALL + "    seeds: 3\n", "4: experiments.a.seeds: expected a list, got 3"),
        (SMALL + "    limit: 0s\n", "4: experiments.a.limit: '0s' is no time at all"),
        ("limits: {silence: 0m}\n" + SMALL, "1: limits.silence: '0m' is no time at all"),
        (f"reserve: {{disk: {'9' * 400}GB}}\n" + SMALL, "1: reserve.disk: expected a number with its unit"),
        ("reserve: {disk: \u0663GB}\n" + SMALL, "1: reserve.disk: expected a number with its unit"),
    ],
)
def test_wrong_plans(tmp_path: Path, text: str | bytes, said: str) -> None:
    assert refused(tmp_path, text)[0].startswith(said)


def test_more_jobs_than_any_night_holds(tmp_path: Path) -> None:
    experiments = "".join(f"  e{index}: {{}}\n" for index in range(101))
    seeds = f"seeds: [{', '.join(str(seed) for seed in range(100))}]\n"
    assert refused(tmp_path, f"{seeds}experiments:\n{experiments}") == [
        "1: 10100 jobs, more than the 10000 a plan may have"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x]\n"
        + "".join(f"{n}: &{n} [*{p}, *{p}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True)),
        "goal: " + "[" * 5_000 + "]" * 5_000,
        "experiments: " + "{a: " * 5_000 + "1" + "}" * 5_000,
        "\n".join("  " * depth + "a:" for depth in range(1_400)),
        "goal: " + "x" * 1_000_001,
        "? [a, b]\n: 1\n",
        "\x00",
        "goal: \x07\n",
    ],
    ids=["alias bomb", "deep list", "deep mapping", "deep block", "large", "odd key", "NUL", "bell"],
)
def test_malformed_and_hostile_files_are_refused_at_once(tmp_path: Path, text: str) -> None:
    began = time.process_time()
    assert refused(tmp_path, text)
    assert time.process_time() - began < 2


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_a_plan_or_refused_with_a_reason(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "night.yaml"
    file.write_bytes(content)
    with pytest.raises(UsageError) as caught:  # no such text happens to be a plan
        load(file, SHOWN)
    assert all(problem.startswith(SHOWN) for problem in caught.value.problems)


@given(st.text(max_size=200).filter(str.isprintable))
def test_free_text_is_what_was_written(text: str) -> None:
    content = yaml_file.dump({"goal": text, "experiments": {"a": {"hypothesis": text, "notes": text}}})
    plan = Plan.model_validate(yaml_file.parse(content.encode(), SHOWN), context={"name": "night"})
    assert (plan.goal, plan.experiments["a"].hypothesis, plan.experiments["a"].notes) == (text, text, text)


@pytest.fixture
def plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of which `research/plans` has one plan."""
    root = tmp_path / "project"
    (root / "research" / "plans").mkdir(parents=True)
    (root / "research" / "plans" / "backbones.yaml").write_text(SMALL)
    monkeypatch.chdir(root)
    return root


@pytest.mark.parametrize(
    "said",
    ["backbones", "backbones.yaml", "research/plans/backbones.yaml", "./research/plans/backbones.yaml"],
)
def test_a_plan_is_found_by_name_and_by_path(plans: Path, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file = plans / "research" / "plans" / "backbones.yaml"
    if said == "backbones.yaml":
        monkeypatch.chdir(file.parent)
    assert locate(plans, said) == file
    assert locate(plans, str(file)) == file


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("backbone", "did you mean 'backbones'?"),
        ("research/plans", "there is no such plan"),
        ("", "is no plan"),
        ("back\0bones", "is no plan"),
        ("../outside.yaml", "outside the project"),
        ("research/plans/link.yaml", "outside the project"),
        ("dir", "choose one of: backbones, link"),
        ("a" * 300, "there is no such plan"),
        ("a" * 5000, "there is no such plan"),
    ],
)
def test_what_is_no_plan_of_the_project(plans: Path, said: str, expected: str) -> None:
    outside = plans.parent / "outside.yaml"
    outside.write_text(SMALL)
    (plans / "research" / "plans" / "link.yaml").symlink_to(outside)
    (plans / "research" / "plans" / "dir.yaml").mkdir()
    with pytest.raises(UsageError) as caught:
        locate(plans, said)
    assert expected in f"{caught.value} {caught.value.hint}"


def test_a_file_whose_name_names_no_plan(plans: Path, tmp_path: Path) -> None:
    (plans / "research" / "plans" / "My Plan.yaml").write_text(SMALL)
    assert locate(plans, "My Plan").name == "My Plan.yaml"  # what is wrong with it is said by `load`
    file = tmp_path / "My Plan.yaml"
    file.write_text(SMALL)
    with pytest.raises(UsageError, match="the name of the file"):
        load(file, "research/plans/My Plan.yaml")
