"""`night.md`: short, whole, and a document of ours whatever text stands in it."""

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jsonschema
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from ctexp.core import yaml_file
from ctexp.queue.morning import page
from ctexp.queue.morning.documents import NightReport
from ctexp.queue.morning.schema import NAME
from ctexp.queue.morning.text import MOST_SHOWN, code, markdown, plain
from ctexp.queue.orders import Cost
from ctexp.record.schemas import schema
from tests.project import HERE
from tests.queue.morning.nights import Written, of

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

HOSTILE = (
    'It\'s "quoted" $(touch canary) `code` ``` fence\n\n# heading\n---\n* item\n1. one\n\n'
    "<script>alert(1)</script> <!-- end of night_20261121-000000 --> &lt; [a](http://b) ![c](d)\n"
    "| a | b |\n| --- | --- |\n    indented\n> quote\n\x1b[31mred\x07\x00\u202eabc\u2028 ~~gone~~ __bold__ "
    "ünïcödé 肺 🫁"
)


def tokens(text: str) -> list[Token]:
    return [inner for token in READER.parse(text) for inner in (token, *(token.children or ()))]


def words(its: Sequence[Token]) -> Iterator[str]:
    """What a reader sees."""
    for token in its:
        if token.type in {"text", "code_inline"}:
            yield token.content


@given(st.text(max_size=300) | st.from_regex(r"[-+*#>`~_\[\]()<>!|&;=: 0-9.a\n\\$]{1,60}", fullmatch=True))
def test_no_text_becomes_markup(said: str) -> None:
    for before in ("", "- **Label**: "):
        found = tokens(f"{before}{markdown(said)}\n\nafter")
        allowed = {"paragraph_open", "paragraph_close", "inline", "text"}
        if before:
            allowed |= {"bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"}
            allowed |= {"strong_open", "strong_close"}
        assert {token.type for token in found} <= allowed
        seen = "".join(words(found)).removeprefix("Label:").removesuffix("after")
        assert seen.strip() == plain(said).strip()


@given(st.text(max_size=100))
def test_a_command_is_shown_as_it_is(said: str) -> None:
    its = "x" + said  # a command begins with a word
    assert "".join(words(tokens(code(its)))) == plain(its, 2000)


def test_long_text_is_cut_after_a_word_and_says_so() -> None:
    cut = plain("ten bytes " * 1000)
    assert len(cut) <= MOST_SHOWN
    assert cut.endswith(("ten…", "bytes…"))
    assert plain("x" * 10_000) == "x" * (MOST_SHOWN - 1) + "…"
    assert plain("short") == "short"


def test_a_night_of_hostile_texts_keeps_its_structure(tmp_path: Path) -> None:
    plan = {
        "goal": HOSTILE,
        "seeds": [1],
        "experiments": {
            "net": {"hypothesis": HOSTILE * 20, "expected": HOSTILE, "notes": HOSTILE},
            "two": {"hypothesis": "\n".join(["```", "# a", "```"])},
        },
    }
    night = Written(tmp_path, yaml_file.dump(plan))
    night.begin()
    night.start("net-s1")
    night.end("net-s1", state="failed", cause="other", reason=HOSTILE)
    night.journal.append("note", text=HOSTILE)
    written = page.render(night.report(12))
    found = tokens(written)
    headings = [found[i + 1].content for i, token in enumerate(found) if token.type == "heading_open"]
    assert re.sub(r"\d{4}-\d\d-\d\d", "DAY", headings[0]) == "`night`: the night of DAY"
    assert headings[1:] == [
        "Without a criterion",
        "`net`",
        "`two`",
        "What went wrong, or otherwise than planned",
        "How to go on",
    ]
    kinds = {token.type for token in found}
    assert not kinds & {
        "fence",
        "code_block",
        "html_block",
        "html_inline",
        "blockquote_open",
        "hr",
        "table_open",
    }
    assert not kinds & {"link_open", "image", "s_open", "em_open", "ordered_list_open"}
    assert "touch canary" in written
    assert "ünïcödé 肺 🫁" in written
    hidden = {one for one in written if unicodedata.category(one) in {"Cc", "Cf"}}
    assert hidden == {"\n"}
    assert len(written) < 8_000


def test_the_first_lines_tell_the_night(tmp_path: Path) -> None:
    plan = """
seeds: [1, 2]
target: {metric: val/accuracy, op: ">=", value: 0.9}
experiments:
  net: {success: {metric: val/accuracy, op: ">=", value: 0.2}}
  late: {}
"""
    night = Written(tmp_path, plan)
    night.begin(commit="0123456789abcdef", dirty=True)
    night.trained("net", (1, 2))
    for seed in (1, 2):
        night.journal.append(
            "skip", job=f"late-s{seed}", why="window", reason="needs 65 min, 40 min are left"
        )
    written = page.render(night.report(124))
    lines = [line for line in written.splitlines() if line]
    assert (
        lines[1]
        == "- 2 of 4 jobs done, 2 left: jobs were left that would not fit into the window (exit 124)."
    )
    assert re.fullmatch(r"- It took [\d.]+ s, \d\d:\d\d to \d\d:\d\d \w+; jobs 2 min 00 s\.", lines[2])
    assert lines[3].startswith("- Target val/accuracy >= 0.9: not met, best seen in net: val/accuracy 0.5")
    assert lines[4] == "- Hypotheses: 1 met."
    said = (
        "- late-s1, late-s2 skipped (window): needs 65 min, 40 min are left; taken up again at the next start"
    )
    assert said in lines
    assert "`bash scripts/night.sh`: 2 jobs are taken up again." in lines
    assert lines[-1].endswith(", code 0123456 with changes.")
    tables = [token for token in tokens(written) if token.type == "tr_open"]
    assert len(tables) == 3


def test_what_went_otherwise_than_planned_is_told(tmp_path: Path) -> None:
    night = Written(tmp_path, "seeds: [1]\nexperiments: {net: {}, short: {}}")
    night.begin()
    night.start("net-s1", fallback="oom", deviations=["oom: data.batch_size=8 instead of 24"])
    own = ["2 parts a step instead of 1, from step 40 on: memory ran out"]
    night.end("net-s1", source_changed=True, commit="f" * 40, dirty=True, deviations=own)
    night.begin()
    night.start(
        "short-s1", deviations=["window: trainer.max_minutes=12 (needs 65 min (p90), 14 min are left)"]
    )
    night.end("short-s1")
    step: dict[str, Any] = {
        "name": "errors",
        "argv": [],
        "exit_code": 3,
        "seconds": 2.0,
        "log": "logs/errors.log",
    }
    night.journal.append("step", **step)
    told = page.trouble(night.report(0))
    assert told[0] == "net-s1: otherwise than planned: oom: data.batch_size=8 instead of 24"
    assert told[1] == f"net-s1: otherwise than planned: {own[0]}"
    assert told[2].startswith("short-s1: otherwise than planned: window: trainer.max_minutes=12")
    assert told[3].endswith("changed after the night began, and ran as fffffff with changes in net-s1")
    assert told[4] == "step errors of the analysis ended with 3: logs/errors.log"
    assert told[5].startswith("nobody saw the end of the start at ")
    night.begin(script_edited=True)
    assert page.trouble(night.report(0))[-1].startswith("the script was edited by hand: what ran is what")


def test_what_the_plans_own_rules_left_out_is_no_trouble(tmp_path: Path) -> None:
    rule = "{after: net, metric: val/accuracy, op: '>=', value: 0.99}"
    night = Written(
        tmp_path,
        f"seeds: [1]\nexperiments:\n  plain: {{}}\n  gated: {{gate: {rule}}}\n  behind: {{needs: [gated]}}\n"
        "  net: {success: {metric: val/accuracy, op: '>=', value: 0.2}}\n",
    )
    night.begin()
    night.trained("net", (1,))
    night.trained("plain", (1,))
    gate: dict[str, Any] = {"after": "net", "metric": "val/accuracy", "op": ">=", "value": 0.99}
    gate |= {"observed": 0.5, "runs": [of(night.report(), "net").seeds[0].run]}
    night.journal.append("decision", what="gate", experiment="gated", passed=False, **gate)
    night.journal.append("skip", job="gated-s1", why="gate", reason="it is 0.5, not >= 0.99")
    night.journal.append("skip", job="behind-s1", why="need", reason="needs gated: gated-s1 was skipped")
    report = night.report(12)
    written = page.render(report)
    assert page.trouble(report) == []
    own = written.partition("## Left out by the plan's own rules\n\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split()[1] for line in own] == ["gated-s1", "behind-s1"]
    assert "--fresh" not in written
    assert "Nothing is left that another start would take up." in written
    headings = re.findall(r"^##+ (.*)", written, re.MULTILINE)
    assert headings[:3] == ["`net`: met", "Without a criterion", "`plain`"]


def test_what_waits_for_a_failed_job_is_trouble(tmp_path: Path) -> None:
    rule = "{after: net, metric: val/accuracy, op: '>=', value: 0.99}"
    plan = f"seeds: [1]\nexperiments:\n  net: {{}}\n  gated: {{gate: {rule}}}\n  behind: {{needs: [gated]}}\n"
    night = Written(tmp_path, plan)
    night.begin()
    night.start("net-s1")
    night.end("net-s1", state="failed", cause="oom")
    gate: dict[str, Any] = {"after": "net", "metric": "val/accuracy", "op": ">=", "value": 0.99}
    gate |= {"observed": None, "runs": []}
    night.journal.append("decision", what="gate", experiment="gated", passed=False, **gate)
    night.journal.append("skip", job="gated-s1", why="gate", reason="it is not known")
    night.journal.append("skip", job="behind-s1", why="need", reason="needs gated: gated-s1 was skipped")
    report = night.report(12)
    assert page.ruled_out(report) == []
    assert [line.split()[0] for line in page.trouble(report)] == ["net-s1", "gated-s1", "behind-s1"]
    assert report.go_on.endswith(" --fresh")


def test_a_job_longer_than_the_whole_window_is_not_promised(tmp_path: Path) -> None:
    plan = "seeds: [1]\nexperiments: {long: {}, behind: {needs: [long]}, late: {}}"
    costs = {"long-s1": Cost(180.0, 194.0), "late-s1": Cost(60.0, 170.0)}
    night = Written(tmp_path, plan, costs=costs, window="4m", grace_seconds=0.0)
    night.begin()
    for job in ("long-s1", "late-s1"):
        night.journal.append("skip", job=job, why="window", reason="needs so much")
    night.journal.append("skip", job="behind-s1", why="window", reason="waits for long-s1")
    report = night.report(124)
    assert report.left == ("late-s1",)
    assert report.counts.left == 3
    told = {line.split()[0]: line for line in page.trouble(report)}
    never = (
        "needs 3 min 14 s (p90), the whole window has 3 min 00 s: it will never be begun; lengthen the window"
    )
    assert told["long-s1"] == f"long-s1 skipped (window): {never}, or shorten: true"
    assert told["behind-s1"].endswith("waits for long-s1, which will never be begun")
    assert told["late-s1"].endswith("taken up again at the next start")


def test_what_was_put_first_and_left_out_because_of_the_window_is_told(tmp_path: Path) -> None:
    night = Written(tmp_path, "seeds: [1]\nexperiments: {long: {}, short: {}, tiny: {}}")
    night.begin()
    out = [{"job": "long-s1", "seconds": 3600.0, "needs": "p90 1 h 00 min"}]
    why = "with 40 min 00 s to go; the 1 job done took 1.50 times what was expected"
    night.journal.append("pack", order=["tiny-s1", "short-s1"], left_out=out, seconds_left=2400.0, why=why)
    report = night.report(124)
    assert report.packing == (
        "put first, to make the most of the window: tiny-s1",
        f"left out of the window: long-s1 (p90 1 h 00 min), {why}",
    )
    assert page.trouble(report)[:2] == list(report.packing)
    night.begin()
    assert night.report(124).packing == (), "of the newest start alone"


def test_attempts_before_the_last_are_not_forgotten(tmp_path: Path) -> None:
    night = Written(tmp_path, "seeds: [1]\nexperiments: {net: {}}")
    night.begin()
    night.start("net-s1")
    night.end("net-s1", state="failed", cause="oom", reason="CUDA out of memory")
    night.start("net-s1", 2, fallback="oom", deviations=["oom: data.batch_size=8 instead of 24"])
    night.begin()
    night.start("net-s1", 3)
    first = page.trouble(night.report(0))[0]
    assert first.startswith("net-s1 interrupted (killed) after 3 attempts: ")
    assert "; before that attempt 1 failed (oom): CUDA out of memory; attempt 2 interrupted" in first
    night.end("net-s1", 3)
    told = page.trouble(night.report(0))
    assert told[0] == "net-s1 done in the end: attempt 1 failed (oom): CUDA out of memory"
    assert told[1].startswith("net-s1 done in the end: attempt 2 interrupted (killed): nobody saw its end")


def test_the_published_schema_is_that_of_the_code(tmp_path: Path) -> None:
    published = json.loads((HERE / "docs" / "schemas" / NAME).read_text())
    assert published == schema(NightReport)
    night = Written(tmp_path, "seeds: [1]\nexperiments: {net: {}}")
    night.begin()
    night.trained("net", (1,))
    night.report().write(night.queue.night_json)
    jsonschema.Draft202012Validator(published).validate(json.loads(night.queue.night_json.read_text()))
