"""The same word means the same on every verb: flags, bare words, JSON."""

from collections import defaultdict
from functools import cache
from pathlib import Path

from invoke.parser.context import ParserContext

from tests.cli.verbs import contexts_of

ROOT = Path(__file__).resolve().parents[2]

TOOLS = {"bench", "check", "ruff", "test"}
"""What developers use; others print results."""

OF_ONE = {"run", "plan", "queue", "sweep", "sweep-id", "experiment-id"}
"""Flags that say which one of many things a verb is about, wherever it is about one."""

ELSEWHERE = {("predict", "run"), ("queue-cancel", "queue"), ("report", "queue"), ("analyze-features", "run")}
"""Where the bare word is something else, or there may be several."""

OF_ITS_VERB = {
    *("name", "seed", "output", "path", "experiment-id"),  # what is made, and where
    *("split", "baseline", "run", "runs", "queue", "dataset", "resume"),  # one meaning, another default
    *("keep", "only", "explain", "window"),  # two meanings, older than this rule
}


@cache
def verbs() -> dict[str, ParserContext]:
    return {str(one.name): one for one in contexts_of(ROOT)}


def flags() -> dict[str, dict[str, str]]:
    """What each flag means, by verb."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for name, verb in verbs().items():
        for arg in verb.args.values():
            found[str(arg.names[0])][name] = str(arg.help)
    return found


def test_every_flag_is_explained() -> None:
    assert [(flag, verb) for flag, its in flags().items() for verb, said in its.items() if not said] == []


def test_every_verb_that_prints_results_prints_json_and_every_verb_shows_tracebacks() -> None:
    assert set(verbs()) - set(flags()["json"]) == TOOLS
    assert set(flags()["debug"]) == set(verbs())


def test_a_flag_has_the_same_words_on_every_verb_that_has_it() -> None:
    differing = {flag: its for flag, its in flags().items() if len(set(its.values())) > 1}
    assert set(differing) <= OF_ITS_VERB
    # One resolver is behind these: only what stands for a word that is left out may be another.
    for flag in ("run", "runs", "baseline", "dataset"):
        assert len({said.partition(";")[0] for said in differing.get(flag, {}).values()}) <= 1, flag


def test_a_verb_about_one_thing_takes_it_bare_and_by_its_flag() -> None:
    for name, verb in verbs().items():
        bare = {str(arg.names[0]) for arg in verb.positional_args}
        for flag in OF_ONE & set(map(str, verb.args)):
            assert flag in bare or (name, flag) in ELSEWHERE, (name, flag)
            assert f"--{flag}" in verb.flags


def test_overrides_are_taken_by_what_composes_a_configuration() -> None:
    assert set(flags()["override"]) == {
        *("train", "estimate", "cross-validate", "sweep", "plan", "research-run")
    }
    # What trains asks whether uncommitted changes are meant.
    assert set(flags()["yes"]) == {"train", "cross-validate", "sweep", "sweep-agent", "research-run"}
    assert set(flags()["dry-run"]) == {"train", "cross-validate", "sweep"}


def test_help_shows_which_flags_take_values() -> None:
    for verb in verbs().values():
        for flag, arg in verb.flags.items():
            spelled, said = verb.help_for(flag)
            assert (spelled != flag) == arg.takes_value, (verb.name, flag)
            assert ("(may be given again)" in said) == (arg.kind is list)
            assert said.count("again)") + said.count("given bare") <= 2
