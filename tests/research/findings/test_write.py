"""Findings and results as files: what stands on them, when history grows, what people keep."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from ctexp.core.errors import DataError
from ctexp.record.run_dir import RunDir
from ctexp.research import findings
from ctexp.research.figures import quotes
from ctexp.research.findings.page import Page
from ctexp.research.places import Places
from ctexp.research.record import Answer, Broken
from ctexp.research.running.experiment import publish
from tests.judged import refusal
from tests.research.answers import answer, handler
from tests.research.findings import project


def write(root: Path, **changes: Any) -> None:
    findings.write(root, project.its_plan(root), root / "data", **changes)


def page(root: Path) -> Page:
    file = Places(root).experiment_findings("noise")
    return Page.parse(file.read_bytes(), file.name)


def results(root: Path) -> dict[str, Any]:
    return yaml.safe_load(Places(root).experiment_results("noise").read_text())  # type: ignore[no-any-return]


def runs(root: Path, name: str) -> list[RunDir]:
    return [RunDir(path) for path in sorted((root / "runs").glob(f"{name}_*"))]


def contents(root: Path) -> dict[Path, bytes]:
    """Of the research, but for locks."""
    paths = (path for path in (root / "research").rglob("*") if path.is_file() and path.suffix != ".lock")
    return {path: path.read_bytes() for path in paths}


def test_every_number_of_a_page_has_a_footnote_that_says_where_it_came_from(root: Path) -> None:
    for file in (Places(root).experiment_findings("noise"), Places(root).findings):
        text = file.read_text()
        cited = {quote.mark for quote in quotes(text)}
        assert len(cited) >= 4
        assert all(f"\n[^{mark}]: " in text for mark in cited)
        assert all(quote.said for quote in quotes(text))
    run = next((root / "runs").glob("net_*"))
    assert re.search(
        rf"\]: run `{run.name}`, `\w+\.json`, `.*metrics → val/mcc`, SHA-256 [0-9a-f]{{12}}\n", text
    )


def test_the_page_says_verdict_findings_criteria_and_what_next(root: Path) -> None:
    head = page(root).of("head")
    assert head is not None
    parts = ("# How far", "## What was found", "## Criteria", "## How sure this is", "## Next")
    places = [head.text.index(part) for part in parts]
    assert places == sorted(places)
    said = Answer.read(Places(root).record("noise", "spread")).finding
    assert said in head.text


def test_nothing_changes_where_nothing_has_changed(root: Path) -> None:
    before = contents(root)
    write(root)
    assert contents(root) == before


def test_history_grows_by_what_is_new_and_not_by_equal_results(root: Path) -> None:
    project.spread(root, runs(root, "net"))  # again, with another artifact's time and nothing else
    write(root)
    assert len(page(root).entries) == 1
    project.spread(root, runs(root, "net")[:1])
    write(root)
    first, second = page(root).entries
    assert "borderline" in second.text
    assert (second.number, second.after) == (2, first.sha256[:12])
    write(root)
    assert len(page(root).entries) == 2


def test_failures_on_the_way_are_no_history_and_the_same_answer_after_them_is_not_told_twice(
    root: Path,
) -> None:
    project_page = Places(root).findings
    before = [len(one.entries) for one in (page(root), Page.parse(project_page.read_bytes(), ""))]
    error = Broken(kind="ValueError", message="no such run")
    answer(root, "noise", "gain", state="failed", error=error)
    write(root)
    head = page(root).of("head")
    assert head is not None
    assert "No answer: ValueError: no such run" in head.text
    assert ": no criteria were set" not in head.text
    project.gain(root, runs(root, "weak"), runs(root, "net"))
    write(root)
    assert [len(one.entries) for one in (page(root), Page.parse(project_page.read_bytes(), ""))] == before


def test_an_entry_tells_only_what_is_new(root: Path) -> None:
    project.gain(root, runs(root, "net"), runs(root, "weak"))
    write(root)
    _, second = page(root).entries
    assert "`gain`" in second.text
    assert "`spread`" not in second.text


def test_a_question_that_was_changed_after_a_look_says_so_for_good(root: Path) -> None:
    file = Places(root).plan
    file.write_text(file.read_text().replace("target: 0.2", "target: 0.15"))
    for _ in range(2):  # the second time both records ask the same
        made = project.spread(root, runs(root, "net"))
        shutil.copytree(Places(root).artifacts("noise", "spread"), root / "saved")
        publish(Places(root), made, root / "saved")
        write(root)
        head = page(root).of("head")
        assert head is not None
        line = "the criteria (or the plan's part) changed after figures had been seen, 2026-"
        assert f"- spread: {line}" in head.text
        assert line in page(root).entries[-1].text
        assert results(root)["assessment"]["confidence"] != "high"


def test_an_interval_that_excludes_zero_says_why_it_decides_nothing(root: Path) -> None:
    record = Answer.read(Places(root).record("noise", "gain"))
    figure = record.metrics["gain"]
    for verdict, told in (("better", False), ("undecided", True)):
        source = figure.source.model_copy(update={"verdict": verdict})
        clear = figure.model_copy(update={"value": 0.3, "low": 0.2, "high": 0.4, "source": source})
        answer(root, "noise", "gain", {"gain": clear}, function="e_gain")
        write(root)
        text = Places(root).experiment_findings("noise").read_text()
        assert ("Intervals are of one number alone; verdicts are corrected for 2 metrics" in text) == told
        assert ("undecided after Holm's correction over 2 metrics: recommend review" in text) == told


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        (r"Recommendation: \w+", "Recommendation: proceed, at once", "the text of this head"),
        (r"(?s)(?<=UTC\n\n).*?(?=\n)", "- in all: met", "the text of this entry"),
        (r"(?s)<!-- ctexp entry 1 .*?<!-- ctexp end [^\n]*\n", "", "does not follow the one before"),
        (r"<!-- ctexp end sha256", "<!-- ctexp ende sha256", "a damaged mark|whose end mark is gone"),
    ],
)
def test_what_was_altered_is_refused_before_anything_is_begun(
    root: Path, before: str, after: str, what: str
) -> None:
    project.gain(root, runs(root, "net"), runs(root, "weak"))
    write(root)
    findings.refuse_altered(root, ["noise", "later"])
    file = Places(root).experiment_findings("noise")
    text, number = re.subn(before, after, file.read_text(), count=1)
    assert number
    file.write_text(text)
    said = refusal(lambda: findings.refuse_altered(root, ["noise"]), DataError)
    assert re.search(rf"FINDINGS\.md:\d+: .*({what})", said)
    findings.refuse_altered(root, ["later"])


def test_an_experiment_that_nobody_has_begun_is_not_called_blocked(root: Path) -> None:
    file = Places(root).plan
    file.write_text(file.read_text().replace(", dependencies: [noise]", "").replace(", unlocks: [later]", ""))
    write(root)
    (row,) = [line for line in Places(root).findings.read_text().splitlines() if line.startswith("| later")]
    assert row.endswith("| not started |  |  | **not begun** |")


def test_numbers_of_history_keep_their_footnotes_after_newer_records(root: Path) -> None:
    before = {quote.mark for quote in quotes(page(root).entries[0].text)}
    project.spread(root, runs(root, "weak"))
    write(root)
    sources = page(root).of("sources")
    assert sources is not None
    assert all(f"[^{mark}]: " in sources.text for mark in before)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_people_write_stays_as_they_wrote_it(root: Path, end: str) -> None:
    file = Places(root).experiment_findings("noise")
    lines = ("## Notes", "", "Grüße: `<!-- ctexp head -->`", "```", "<!-- ctexp head -->", "```", "")
    mine = end.join(lines).encode()
    text = file.read_bytes().replace(b"\n", end.encode())
    begin, last = text.index(b"## Notes"), text.index(b"## History")
    file.write_bytes(text[:begin] + mine + text[last:])
    project.gain(root, runs(root, "net"), runs(root, "weak"))
    write(root)
    after = file.read_bytes()
    assert mine in after
    assert after.count(b"\r\n") == (after.count(b"\n") if end == "\r\n" else 0)
    assert len(page(root).entries) == 2


def test_a_page_that_people_began_keeps_every_byte(root: Path) -> None:
    file = Places(root).experiment_findings("noise")
    mine = b"# My own findings\r\n\r\nAccuracy was \xfe fine.\n```\nunclosed"
    file.write_bytes(mine)
    write(root)
    assert file.read_bytes().endswith(mine)
    assert [block.kind for block in page(root).blocks] == ["head", "entry", "sources"]


def test_a_damaged_page_is_left_alone_and_all_others_are_written(root: Path) -> None:
    file = Places(root).experiment_findings("noise")
    before = results(root)
    damaged = file.read_bytes().replace(b"<!-- ctexp end sha256=", b"<!-- ctexp ende sha256=", 1)
    file.write_bytes(damaged)
    project.spread(root, runs(root, "weak"))
    said = refusal(lambda: write(root), DataError)
    assert "FINDINGS.md:" in said
    assert file.read_bytes() == damaged
    assert len(Page.parse(Places(root).findings.read_bytes(), "").entries) == 2
    assert results(root)["assessment"]["mean_mcc_achieved"] != before["assessment"]["mean_mcc_achieved"]


def test_results_have_the_keys_that_programs_read(root: Path) -> None:
    document = results(root)
    assert list(document) == [
        "experiment_id", "claim", "status", "executed_by", "started_at", "completed_at", "success_criteria",
        "results", "assessment", "recommendation", "recommendation_notes", "blockers", "issues",
    ]  # fmt: skip
    part = document["results"]["experiments"]["spread"]
    assert list(part) == ["status", "finding", "metrics", "artifacts", "error"]
    assert "[^" not in part["finding"]
    record = json.loads(Places(root).record("noise", "spread").read_text())
    assert document["assessment"]["mean_mcc_achieved"] == record["metrics"]["mean_mcc"]["value"]
    assert part["metrics"]["mean_mcc"]["low"] == record["metrics"]["mean_mcc"]["low"]
    assert document["status"] == "completed"
    whole = yaml.safe_load(Places(root).summary.read_text())
    assert whole["gates"]["night"]["open"] is False


def test_an_answer_that_is_out_of_date_is_told_as_such(root: Path) -> None:
    handler(root, "noise", "spread", "def e_spread(runner):\n    return 1\n")
    write(root)
    head = page(root).of("head")
    assert head is not None
    assert "*Does not count: changed since: its handler.*" in head.text
    assert results(root)["recommendation"] == "block"
    assert results(root)["assessment"]["mean_mcc_verdict"] == "missing"


def test_a_stub_is_marked_everywhere_and_touches_nothing_real(root: Path) -> None:
    real = contents(root)
    places = Places(root, stub=True)
    for sub in ("spread", "gain"):
        record = Answer.read(Places(root).record("noise", sub))
        record.model_copy(update={"stub": True}).write(places.record("noise", sub))
    write(root, stub=True)
    assert {path: content for path, content in contents(root).items() if path in real} == real
    for file in (places.findings, places.experiment_findings("noise")):
        assert "STUB" in file.read_text()
    for summary in (places.summary, places.experiment_results("noise")):
        assert yaml.safe_load(summary.read_text())["stub"] is True
    document = yaml.safe_load(places.experiment_results("noise").read_text())
    assert document["recommendation"] == "block"
    assert document["assessment"]["success_criteria_met"] is False


def test_what_a_finding_brings_along_cannot_become_a_mark_or_a_footnote(root: Path) -> None:
    evil = "one\n<!-- ctexp head -->\n<script>x</script> | [^0123456789] [^note]: x ```" + "y" * 2000
    answer(root, "noise", "gain", finding=evil, function="e_gain")
    write(root)
    text = Places(root).experiment_findings("noise").read_text()
    assert page(root).of("head") is not None
    assert "<script>" not in text
    assert "\\[^0123456789]" in text
    write(root)


def test_a_mark_before_a_colon_is_still_a_footnote(root: Path) -> None:
    figure = Answer.read(Places(root).record("noise", "spread")).metrics["mean_mcc"]
    answer(root, "noise", "gain", {"gain": figure}, finding=f"It is {figure}: enough.", function="e_gain")
    write(root)
    assert f"It is {figure}: enough." in Places(root).experiment_findings("noise").read_text()


def test_a_failure_is_told_in_bearable_length(root: Path) -> None:
    error = Broken(kind="ValueError", message="y" * 5000, hint="mend it", traceback="…")
    answer(root, "noise", "gain", state="failed", error=error)
    write(root)
    text = Places(root).experiment_findings("noise").read_text()
    assert "No answer: ValueError: yyyy" in text
    assert max(map(len, text.splitlines())) < 1000


def test_results_that_people_wrote_are_left_and_all_else_is_written(root: Path) -> None:
    places = Places(root)
    places.summary.write_text("mine: 1\n")
    places.findings.unlink()
    with pytest.raises(DataError, match=r"results\.yaml: was not generated"):
        findings.write(root, project.its_plan(root), root / "data")
    assert places.summary.read_text() == "mine: 1\n"
    assert places.findings.is_file()
