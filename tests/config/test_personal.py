"""How somebody wants to be told belongs to one person, and to no configuration."""

from pathlib import Path

import pytest

from ctexp.config import personal
from ctexp.config.compose import compose
from ctexp.config.personal import Notify, notify_settings
from ctexp.core.errors import UsageError

WHOLE = """
logger: {name: csv}
notify:
  command: [notify-send, ctexp, "{text}"]
  webhook: https://example.org/hook
  on: [failure]
"""


def local(conf: Path, text: str) -> Path:
    conf.mkdir(exist_ok=True)
    (conf / "local.yaml").write_text(text)
    return conf


def test_what_is_said_is_read(tmp_path: Path) -> None:
    conf = local(tmp_path / "conf", WHOLE)
    wanted = Notify(("notify-send", "ctexp", "{text}"), "https://example.org/hook", ("failure",))
    assert notify_settings(conf) == wanted


def test_nobody_is_told_by_default_and_of_both_where_nothing_is_said(tmp_path: Path) -> None:
    assert notify_settings(tmp_path / "conf") == Notify()
    conf = local(tmp_path / "conf", "notify: {command: [true-program]}")
    assert notify_settings(conf).on == ("failure", "end")


def test_no_configuration_knows_of_it(project: Path) -> None:
    before = compose([], project).sha256
    local(project / "conf", WHOLE.replace("logger: {name: csv}", ""))
    assert compose([], project).sha256 == before
    with pytest.raises(UsageError, match="notify"):
        compose(["notify.on=[end]"], project)
    assert "notify" not in personal.local_settings(project / "conf")


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("command: notify-send ctexp", "notify.command: expected a program and its words as a list"),
        ("command: []", "notify.command: expected a program"),
        ("command: ['']", "notify.command: expected a program"),
        ("command: [notify-send, 3]", "notify.command: expected a program"),
        ("command: [notify-send, {text}]", "notify.command: expected a program"),
        ("webhook: file:///etc/passwd", "notify.webhook: expected an address of http or https"),
        ("webhook: http://", "notify.webhook: expected an address"),
        ("webhook: 'http://[x'", "notify.webhook: expected an address"),
        ("webhook: 7", "notify.webhook: expected an address"),
        ("on: [always]", "notify.on: expected some of failure, end"),
        ("on: end", "notify.on: expected some of failure, end"),
        ("hook: x", "notify.hook: unknown key; choose one of: command, webhook, on"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(tmp_path: Path, said: str, problem: str) -> None:
    conf = local(tmp_path / "conf", f"notify: {{{said}}}")
    with pytest.raises(UsageError) as refusal:
        notify_settings(conf)
    (line,) = refusal.value.problems
    assert line.startswith(f"conf/local.yaml: {problem}")
    assert "passwd" not in line  # an address may hold a secret


def test_a_list_is_no_place_for_keys(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="notify: expected keys below it"):
        notify_settings(local(tmp_path / "conf", "notify: [a]"))
