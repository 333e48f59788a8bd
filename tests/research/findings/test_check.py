"""One digit changed anywhere is found; what is gone is told apart; what is right passes."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ctexp.record.run_dir import RunDir
from ctexp.research import findings
from ctexp.research.figures import quotes
from ctexp.research.findings.checking import Report, check
from ctexp.research.findings.history import state_of
from ctexp.research.findings.marks import new_block
from ctexp.research.findings.page import Page
from ctexp.research.places import Places
from ctexp.research.record import Answer
from tests.research.answers import handler
from tests.research.findings import project

PAGE = "research/results/noise/FINDINGS.md"
RECORD = "research/results/noise/spread.json"


def checked(root: Path) -> Report:
    return check(root, root / "runs", project.its_plan(root), root / "data")


def change(path: Path, edit: Callable[[str], str]) -> None:
    before = path.read_bytes()
    path.write_bytes(edit(before.decode()).encode())
    assert path.read_bytes() != before


def differences(root: Path) -> str:
    return "\n".join(map(str, checked(root).differences))


def test_what_was_just_written_is_right(root: Path) -> None:
    report = checked(root)
    assert (report.differences, report.missing, report.notes) == ([], [], [])
    assert report.unsourced == 1  # the number of seeds was counted
    assert report.numbers > 25
    assert len(report.files) == 8


@pytest.mark.slow
@pytest.mark.parametrize(
    "file",
    [PAGE, "research/FINDINGS.md", "research/results.yaml", "research/results/noise/results.yaml", RECORD],
)
def test_any_digit_of_what_is_generated_is_missed_by_nobody(root: Path, file: str) -> None:
    path = root / file
    text = path.read_text()
    for place in [match.start() for match in re.finditer(r"\d", text)][::13]:
        other = str((int(text[place]) + 1) % 10)
        path.write_text(text[:place] + other + text[place + 1 :])
        report = checked(root)
        assert report.differences or report.missing, text[place - 40 : place + 40]
    path.write_text(text)
    assert not checked(root).differences


def test_a_changed_digit_is_told_with_its_line_and_what_it_should_be(root: Path) -> None:
    path = root / PAGE
    (first, *_) = quotes(path.read_text())
    wrong = first.said.replace(first.said[0], str((int(first.said[0]) + 1) % 10), 1)
    change(path, lambda text: text.replace(first.said, wrong, 1))
    (line, *_) = [one for one in checked(root).differences if "95 %" in one.problem]
    assert (line.file, line.problem) == (PAGE, f"says {wrong}, is {first.said}")
    assert wrong in path.read_text().splitlines()[line.line - 1]


@pytest.mark.parametrize("name", ["result.json", "metrics.json", "predictions_val.parquet"])
def test_a_cited_file_of_a_run_must_be_the_one_that_was_cited(root: Path, name: str) -> None:
    record = (root / RECORD).read_text() + (root / "research/results/noise/gain.json").read_text()
    run = next((root / "runs").glob("net_*"))
    path = run / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    cited = f"{run.name}/{name}" in record or name.startswith("predictions")
    assert (f"{run.name}/{name}: SHA-256 is" in differences(root)) == cited
    assert cited or name == "metrics.json"


def test_a_record_that_says_another_number_than_its_source_is_found_though_its_pages_agree(
    root: Path,
) -> None:
    def lie(text: str) -> str:
        document = json.loads(text)
        document["metrics"]["sd_mcc"]["value"] += 1e-6
        return json.dumps(document)

    change(root / RECORD, lie)
    findings.write(root, project.its_plan(root), root / "data")
    told = differences(root)
    assert "metrics.sd_mcc: says 0." in told
    assert PAGE not in told


def test_a_lie_in_a_cited_value_of_a_derived_figure_is_found(root: Path) -> None:
    def lie(text: str) -> str:
        document = json.loads(text)
        part = document["metrics"]["mean_mcc"]["source"]["of"][0]
        part["value"] += 0.001
        return json.dumps(document)

    change(root / RECORD, lie)
    assert "metrics.mean_mcc, what it was derived from: says 0." in differences(root)


def test_prose_that_cites_is_held_to_its_numbers(root: Path) -> None:
    path = root / PAGE
    (first, *_) = quotes(path.read_text())
    short = first.said.partition(" (")[0]
    change(path, lambda text: text.replace("Yours:", f"It was {short}[^{first.mark}].\nYours:"))
    assert not checked(root).differences
    change(path, lambda text: text.replace(f"It was {short}", f"It was {short}1"))
    (found,) = checked(root).differences
    assert found.problem.startswith(f"says {short}1, is {short}")
    change(path, lambda text: text.replace(f"It was {short}1[^{first.mark}]", "It was good[^0123456789]"))
    assert "cites [^0123456789], a figure that no record has" in differences(root)


def test_prose_that_cites_an_earlier_answer_is_told(root: Path) -> None:
    (first, *_) = quotes((root / PAGE).read_text())
    change(root / PAGE, lambda text: text.replace("Yours:", f"It was {first.said}[^{first.mark}].\nYours:"))
    weak = [RunDir(path) for path in sorted((root / "runs").glob("weak_*"))]
    project.spread(root, weak)
    findings.write(root, project.its_plan(root), root / "data")
    report = checked(root)
    assert not report.differences
    assert f"{first.said} is of an earlier answer" in " ".join(report.notes)


def test_what_is_gone_is_told_apart_from_what_differs(root: Path) -> None:
    shutil.rmtree(root / "runs")
    report = checked(root)
    assert not report.differences
    assert len(report.missing) == len({one.problem for one in report.missing}) >= 2


def test_artifacts_are_hashed(root: Path) -> None:
    (artifact,) = Answer.read(root / RECORD).artifacts
    (root / artifact.file).write_text("[1, 3]\n")
    assert f"artifact {artifact.file}: SHA-256 is" in differences(root)
    (root / artifact.file).unlink()
    (missing,) = checked(root).missing
    assert missing.problem == f"artifact {artifact.file}: missing"


def test_history_holds_after_newer_answers_and_says_when_its_runs_are_gone(root: Path) -> None:
    weak = [RunDir(path) for path in sorted((root / "runs").glob("weak_*"))]
    project.spread(root, weak)
    project.gain(root, weak[:1], weak[1:])
    findings.write(root, project.its_plan(root), root / "data")
    report = checked(root)
    assert (report.differences, report.notes) == ([], [])
    for path in (root / "runs").glob("net_*"):
        shutil.rmtree(path)
    report = checked(root)
    assert (report.differences, report.missing) == ([], [])
    assert "history cites 2 earlier records whose runs have changed or gone" in " ".join(report.notes)
    kept = next((root / "research/results/noise/history").glob("spread.*.json"))
    change(kept, lambda text: text.replace("0.", "1.", 1))
    assert "was changed since it was kept" in differences(root)


@pytest.mark.parametrize("kind", ["head", "entry", "sources"])
def test_generated_text_that_was_taken_out_is_missed(root: Path, kind: str) -> None:
    pattern = rf"<!-- ctexp {kind}.*?<!-- ctexp end [^\n]*\n"
    change(root / PAGE, lambda text: re.sub(pattern, "", text, count=1, flags=re.DOTALL))
    assert PAGE in differences(root)


def test_files_that_are_missing_or_were_edited_are_differences(root: Path) -> None:
    places = Places(root)
    places.experiment_findings("noise").unlink()
    places.summary.unlink()
    change(
        places.experiment_results("noise"), lambda text: text.replace("status: completed", "status: blocked")
    )
    told = differences(root)
    assert f"{PAGE}: missing, although there are records" in told
    assert "research/results.yaml: missing" in told
    assert "results.yaml:5: says 'status: blocked', is 'status: completed'" in told


def test_findings_of_a_handler_that_has_changed_since_are_no_longer_right(root: Path) -> None:
    handler(root, "noise", "spread", "def e_spread(runner):\n    return 1\n")
    assert "out of date" in differences(root) or "changed since" in differences(root)


def test_a_lost_record_is_told_once_and_not_by_all_that_was_made_from_it(root: Path) -> None:
    (root / RECORD).unlink()
    (line,) = checked(root).differences
    assert line.file == RECORD
    assert "the record is missing" in line.problem


def test_a_damaged_record_and_one_that_the_plan_does_not_know(root: Path) -> None:
    shutil.copy(root / RECORD, Places(root).record("noise", "other"))
    assert checked(root).notes == ["research/results/noise/other.json: not in the plan, not checked"]
    (root / RECORD).write_text("{")
    assert f"{RECORD}: " in differences(root)


def test_a_project_without_findings_has_none_to_check(tmp_path: Path) -> None:
    (tmp_path / "research").mkdir()
    Places(tmp_path).plan.write_text(project.PLAN)
    report = checked(tmp_path)
    assert (report.files, report.differences) == (set(), [])


def test_what_a_comparison_calls_its_candidate_is_worked_out_again(root: Path) -> None:
    def lie(text: str) -> str:
        document = json.loads(text)
        source = document["metrics"]["gain"]["source"]
        source["verdict"] = {"undecided": "better", "better": "undecided"}[source["verdict"]]
        return json.dumps(document)

    change(Places(root).record("noise", "gain"), lie)
    assert re.search(
        r"metrics\.gain: says .*, (better|undecided), is .*, (undecided|better)\n", differences(root)
    )


def test_an_entry_that_was_rewritten_with_its_hash_is_told(root: Path) -> None:
    path = root / PAGE
    page = Page.parse(path.read_bytes(), PAGE)
    (entry,) = page.entries
    assert "borderline" in entry.text
    text = entry.text.replace("borderline", "met")
    first = f"entry 1 state={entry.state} after={entry.after}"
    forged = new_block("entry", text, b"\n", first)
    path.write_bytes(path.read_bytes().replace(entry.raw, forged.raw))
    assert "the text of this entry is not what its mark says" in differences(root)
    state = state_of(text)
    again = new_block("entry", text, b"\n", first.replace(entry.state, state))
    path.write_bytes(path.read_bytes().replace(forged.raw, again.raw))
    assert "its history lacks what records give today" in differences(root)


def test_a_folder_among_the_kept_records_is_none(root: Path) -> None:
    (Places(root).of("noise") / "history" / "mine.json").mkdir()
    assert not differences(root)
