"""`inv bench`: what benchmarks say, kept section by section."""

from pathlib import Path

import pytest

from benchmarks.aims import told
from ctexp.cli.bench import bench
from ctexp.core.errors import CriterionNotMet, UsageError

AIMS = """
MARK = "aim: "
def told(what, value, unit, bound, wanted):
    reached = value <= bound if wanted == "at most" else value >= bound
    print(f"aim: {what}: {value} {unit}; {wanted} {bound} {unit}: {'reached' if reached else 'missed'}")
"""
GOOD = '''"""What one thing costs, beside another."""
from benchmarks.aims import told
if __name__ == "__main__":
    print("ours 2 s, theirs 4 s")
    told("one thing", {seconds}, "s", 3, "at most")
'''
BAD = '"""Breaks."""\nif __name__ == "__main__":\n    raise SystemExit("no room")\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "benchmarks"
    folder.mkdir()
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "config.yaml").write_text("")
    (folder / "aims.py").write_text(AIMS)
    (folder / "second.py").write_text(GOOD.format(seconds=2))
    (folder / "part.py").write_text("X = 1\n")
    (folder / "first").mkdir()
    (folder / "first" / "__main__.py").write_text(GOOD.format(seconds=5))
    monkeypatch.setenv("CTEXP_ROOT", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def page(project: Path) -> str:
    return (project / "benchmarks" / "RESULTS.md").read_text()


def test_the_page_has_aims_first_and_what_each_said(project: Path) -> None:
    bench("")
    text = page(project)
    assert "| first | one thing | 5 s | at most 3 s | missed |" in text
    assert "| second | one thing | 2 s | at most 3 s | reached |" in text
    assert text.index("## Aims") < text.index("## first") < text.index("## second")
    assert "What one thing costs, beside another." in text
    assert "ours 2 s, theirs 4 s" in text
    assert "cores" in text
    assert "## part" not in text


def test_one_section_is_renewed_and_the_others_stay(project: Path) -> None:
    bench("")
    (project / "benchmarks" / "second.py").write_text(GOOD.format(seconds=10))  # of another size
    bench("second")
    text = page(project)
    assert text.count("## Aims") == text.count("## first") == text.count("## second") == 1
    assert "| second | one thing | 10 s | at most 3 s | missed |" in text
    assert "| first | one thing | 5 s" in text


def test_one_that_fails_keeps_its_old_section_and_the_others_are_written(project: Path) -> None:
    bench("first")
    before = page(project)
    (project / "benchmarks" / "first" / "__main__.py").write_text(BAD)
    with pytest.raises(CriterionNotMet, match="first"):
        bench("")
    assert before[before.index("## first") :].strip() in page(project)
    assert "## second" in page(project)


def test_one_that_is_not_there_is_refused_before_anything_runs(project: Path) -> None:
    with pytest.raises(UsageError, match="thrid"):
        bench("second,thrid")
    assert not (project / "benchmarks" / "RESULTS.md").exists()


def test_the_real_ones_tell_aims_in_the_form_that_the_page_reads(capsys: pytest.CaptureFixture[str]) -> None:
    told("x: y", 0.5, "ms", 1, "at most")
    told("z", 2, "", 3, "at least")
    assert (
        capsys.readouterr().out == "aim: x: y: 0.5 ms; at most 1 ms: reached\naim: z: 2; at least 3: missed\n"
    )
