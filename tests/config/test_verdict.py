from pathlib import Path

import pytest

from ctexp.config import verdict
from ctexp.core.errors import UsageError


def change(project: Path, old: str, new: str) -> list[str]:
    """What a user reads after editing the shipped file."""
    file = project / verdict.FILE
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    with pytest.raises(UsageError) as refused:
        verdict.load(project)
    assert refused.value.exit_code == 2
    return refused.value.lines()


def test_the_shipped_file_says_what_it_takes(shipped: Path) -> None:
    settings = verdict.load(shipped)
    assert settings.primary in settings.metrics
    assert (settings.target.metric, settings.target.value) == ("test/accuracy", 0.90)


def test_an_old_spelling_of_the_target_is_understood(project: Path) -> None:
    file = project / verdict.FILE
    file.write_text(file.read_text().replace("test/accuracy", "test_acc"))
    assert verdict.load(project).target.metric == "test/accuracy"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("primary: macro_f1", "primary: makro_f1", "did you mean 'macro_f1'?"),
        ("primary: macro_f1", "primary: mcc", "mcc is not one of metrics"),
        ("accuracy, auroc", "accuracy, accuracy", "one is named twice"),
        ("alpha: 0.05", "alpha: 5", "alpha: input should be less than 0.5, got 5"),
        ("alpha: 0.05", "alfa: 0.05", "alfa: unknown key; did you mean 'alpha'?"),
        ("worthwhile: 0.02", "worthwhile: much", "worthwhile: input should be a valid number, got 'much'"),
        ("prevalence: null", "prevalence: 1.5", "prevalence: input should be less than 1, got 1.5"),
    ],
)
def test_what_is_wrong_is_told_by_key(project: Path, old: str, new: str, said: str) -> None:
    lines = change(project, old, new)
    assert any(line.startswith("UsageError: conf/verdict.yaml") and said in line for line in lines), lines


def test_a_missing_file_is_named(project: Path) -> None:
    (project / verdict.FILE).unlink()
    with pytest.raises(UsageError, match=r"conf/verdict\.yaml: cannot be read"):
        verdict.load(project)
