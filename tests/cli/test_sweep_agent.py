import functools
import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from invoke.parser import parser
from invoke.parser.context import ParserContext

from ctexp.cli import sweep_agent as verb
from ctexp.cli import sweep_crew
from ctexp.cli.frontdoor import FrontDoorMachine
from ctexp.cli.sweep_agent import sweep_agent
from ctexp.cli.verbs import sweeps as tasks
from ctexp.core.errors import CriterionNotMet, DataError, PreflightError, Stopped, UsageError
from ctexp.core.files import sha256_bytes
from ctexp.core.gpu import Gpu, GpuState
from ctexp.executors.local import Local
from ctexp.executors.protocol import Resources, Work
from ctexp.executors.trainers import Fresh
from ctexp.executors.warmed import Warm
from ctexp.record.sweep import Sweep, SweepDir
from ctexp.sweeps.agent.several import Ended
from ctexp.sweeps.agent.stopping import Stops
from ctexp.sweeps.agent.tally import AgentSummary
from ctexp.sweeps.file.composing import Trials
from ctexp.sweeps.file.load import load
from tests.project import TINY, add_tiny_set, git, make_project
from tests.sweeps.agent.benches import Memory
from tests.sweeps.agent.stub import Stub

FLAGS: dict[str, Any] = {
    "sweep_id": "latest",
    "count": None,
    "until": None,
    "gpu": None,
    "storage": None,
    "fresh": True,
    "executor": None,
    "agents": None,
    "yes": False,
    "json": False,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a sweep's file."""
    project = make_project(tmp_path_factory.mktemp("made") / "project")
    add_tiny_set(project)
    (project / "conf/sweep/two.yaml").write_text(
        "method: grid\nmetric: {name: val/macro_f1}\nparameters:\n  optimizer.lr: {values: [0.1, 0.2]}\n"
    )
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message=a sweep")
    return project


@pytest.fixture
def place(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SweepDir:
    """A sweep of two trials; its trainings are the stub's."""
    from ctexp.cli.sweep import sweep

    project = shutil.copytree(made, tmp_path / "project")
    monkeypatch.chdir(project)
    monkeypatch.delenv("CTEXP_ROOT", raising=False)
    monkeypatch.setattr(verb, "Fresh", lambda root: Stub(root / "runs"))
    sweep(list(TINY), "two", True, False, None, None, False, None, None, False, False)
    return SweepDir.find(project / "runs", "latest")


def test_it_works_until_nothing_is_left_and_says_what_is_best(
    place: SweepDir, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweep_agent(**FLAGS | {"count": "1"}) == 0  # as Invoke gives it
    out = capsys.readouterr().out
    assert "1 finished in" in out
    assert "ended: --count 1\n" in out
    assert sweep_agent(**FLAGS | {"json": True}) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["sweep"], document["trials"], document["ended"]) == (
        place.id,
        {"finished": 1},
        "the grid is done",
    )
    assert document["progress"]["best"]["overrides"] == ["optimizer.lr=0.2"]
    assert document["progress"]["best"]["value"] == 0.2
    assert sorted(path.name for path in place.logs.iterdir()) == ["t0.1-s42.log", "t1.1-s42.log"]


@pytest.mark.usefixtures("place")
def test_wrong_words_are_refused_at_once() -> None:
    for flags, problem in (
        ({"count": "0"}, "--count: expected a whole number from 1 on, got '0'"),
        ({"count": "three"}, "--count: expected a whole number from 1 on, got 'three'"),
        ({"gpu": "-1"}, "--gpu: expected a whole number from 0 on, got '-1'"),
        ({"agents": "0"}, "--agents: expected a whole number from 1 on, got '0'"),
        ({"executor": "nowhere"}, "--executor: 'nowhere' is none; conf/executor has local, modal, ray"),
        ({"executor": "modal"}, "--executor modal: its nodes do not see .* where the sweep is"),
    ):
        with pytest.raises(UsageError, match=problem):
            sweep_agent(**FLAGS | flags)
    for until in ("noon", "25:00", "90", "0m"):
        with pytest.raises(UsageError, match="--until"):
            sweep_agent(**FLAGS | {"until": until})
    with pytest.raises(DataError, match="no sweep 'twoo'"):
        sweep_agent(**FLAGS | {"sweep_id": "twoo"})


@pytest.mark.parametrize(
    ("gpus", "problem"),
    [
        ((), "--gpu 1: this machine has no such GPU and no other"),
        ((Gpu(0, "H200", "GPU-1", None),), r"--gpu 1: this machine has no such GPU \(its GPUs are 0\)"),
    ],
)
@pytest.mark.usefixtures("place")
def test_a_gpu_that_is_not_there_is_refused(
    monkeypatch: pytest.MonkeyPatch, gpus: tuple[Gpu, ...], problem: str
) -> None:
    state = GpuState(bool(gpus), gpus, "", "", None, "")
    monkeypatch.setattr(verb, "detect_gpus", lambda: state)
    with pytest.raises(PreflightError, match=problem):
        sweep_agent(**FLAGS | {"gpu": "1"})


@pytest.mark.parametrize("words", [["two"], ["--sweep-id", "two"], ["--sweep-id=two"]])
def test_the_sweep_may_be_given_bare(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "ParseMachine", FrontDoorMachine)
    context = ParserContext("sweep-agent", args=tasks.sweep_agent.get_arguments())
    (parsed,) = parser.Parser([context]).parse_argv(["sweep-agent", *words, "--count", "1"])
    assert (parsed.as_kwargs["sweep_id"], parsed.as_kwargs["count"]) == ("two", "1")


@pytest.mark.parametrize(
    ("trials", "problem"),
    [({"finished": 8, "failed": 1}, "after 8 finished, 1 failed"), ({}, "before a trial")],
)
def test_a_stop_says_what_was_done_before_it(tmp_path: Path, trials: dict[str, int], problem: str) -> None:
    stops = Stops()
    stops.signum = signal.SIGINT
    flags = {"--gpu": 1, "--until": "07:00", "--count": None}
    with pytest.raises(Stopped, match=problem) as stopped:
        verb._told(SweepDir(tmp_path), Memory([]), AgentSummary("me", trials), stops, flags, json=False)
    assert stopped.value.exit_code == 130
    assert stopped.value.hint == f"scripts/inv sweep-agent --sweep-id {tmp_path.name} --gpu=1 --until=07:00"


def test_another_data_set_or_configuration_than_it_began_with_is_refused(place: SweepDir) -> None:
    sweep = Sweep.read(place.record)
    other = sweep.model_copy(update={"catalog_sha256": "0" * 64, "config_sha256": "1" * 64})
    other.write(place.record)
    with pytest.raises(DataError) as error:
        sweep_agent(**FLAGS)
    assert [problem.partition(": ")[2] for problem in error.value.problems] == [
        "the configuration is not the one it began with",
        "the data set tiny is not the one it began with",
    ]


def test_a_file_that_was_edited_since_is_refused(place: SweepDir) -> None:
    place.file.write_text(place.file.read_text().replace("0.2", "0.3"))
    with pytest.raises(DataError, match=r"its sweep\.yaml is not the one it began with"):
        sweep_agent(**FLAGS)


@pytest.mark.parametrize(("file", "trained"), [("optimizer/adamw.yaml", 1), ("optimizer/lion.yaml", 2)])
def test_a_configuration_that_changes_meanwhile_ends_the_agent_where_it_matters(
    place: SweepDir, monkeypatch: pytest.MonkeyPatch, file: str, trained: int
) -> None:
    runs = place.path.parents[1]
    conf = runs.parent / "conf" / file

    class Editing(Stub):
        def start(self, *args: Any) -> Any:
            conf.write_text(conf.read_text().replace("weight_decay: 0.", "weight_decay: 0.1"))
            return super().start(*args)

    monkeypatch.setattr(verb, "Fresh", lambda root: Editing(root / "runs"))
    if trained == 2:
        assert sweep_agent(**FLAGS) == 0
    else:
        with pytest.raises(DataError, match="conf/ was changed"):
            sweep_agent(**FLAGS)
    assert len(list(runs.glob("two-t*"))) == trained


def test_uncommitted_code_is_refused_where_the_configuration_says_so(place: SweepDir) -> None:
    Path("tasks.py").write_text(Path("tasks.py").read_text() + "\n# changed\n")
    sweep = Sweep.read(place.record)
    sweep.model_copy(update={"overrides": (*sweep.overrides, "git.dirty=refuse")}).write(place.record)
    with pytest.raises(PreflightError, match=r"git\.dirty=refuse"):
        sweep_agent(**FLAGS)


def test_a_warm_trainer_that_does_not_answer_is_replaced_by_fresh_processes(tmp_path: Path) -> None:
    told: list[str] = []
    begun: list[Any] = []

    class Noted(Fresh):
        def start(self, *arguments: Any) -> Any:
            begun.append(arguments)

    warm = Warm(tmp_path / "nobody", tmp_path, Noted(tmp_path), told.append)
    for number in range(2):
        warm.start(["train", f"seed={number}"], {"A": "1"}, [], 1)
    assert [arguments[0] for arguments in begun] == [["train", "seed=0"], ["train", "seed=1"]]
    (line,) = told  # once
    assert line.startswith("in a fresh process: the warm trainer does not answer")


@pytest.mark.usefixtures("place")
def test_a_sweep_whose_trials_all_failed_has_not_succeeded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(Stub):
        def start(self, words: Any, *others: Any) -> Any:
            return super().start([*words[:-2], "fault=oom", *words[-2:]], *others)

    monkeypatch.setattr(verb, "Fresh", lambda root: Failing(root / "runs"))
    assert sweep_agent(**FLAGS) == CriterionNotMet.exit_code
    assert "every trial failed: oom: it was oom" in capsys.readouterr().err


def test_several_agents_of_what_places_its_trials_itself_are_refused(place: SweepDir) -> None:
    text = place.file.read_text() + "ctexp: {backend: ray}\n"
    place.file.write_text(text)
    sweep = Sweep.read(place.record)
    sweep.model_copy(update={"file_sha256": sha256_bytes(text.encode()), "backend": "ray"}).write(
        place.record
    )
    with pytest.raises(UsageError, match="Ray Tune places the trials of this sweep itself"):
        sweep_agent(**FLAGS | {"agents": "2"})


def test_there_are_no_more_agents_than_trials_unless_more_are_asked_for(
    place: SweepDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS")
    room = Resources(8, "a large machine", threads=2)
    monkeypatch.setattr(Local, "resources", lambda _: room)
    works: list[Work] = []

    def carried_out(agents: list[Work], *_: Any) -> list[Ended]:
        works.extend(agents)
        return [Ended(work, 0) for work in agents]

    monkeypatch.setattr(sweep_crew, "carry_out", carried_out)
    for asked, begun in ((None, 2), ("1", 1), ("3", 3)):
        works.clear()
        assert sweep_agent(**FLAGS | {"executor": "local", "agents": asked, "count": "5"}) == 0
        assert len(works) == len({work.log for work in works}) == begun
        for work in works:
            flags = [f"--sweep-id={place.id}", "--yes", "--count=5", "--fresh"]
            assert work.words[1:] == ["-m", "invoke", "sweep-agent", *flags]
            assert work.log == place.logs / f"{work.name}.log"
            assert work.environment["CTEXP_AGENT"] == work.name
            assert work.environment["OMP_NUM_THREADS"] == str(16 // begun)


def test_agents_of_this_machine_have_a_gpu_each(place: SweepDir, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = Sweep.read(place.record)
    words = tuple(word for word in sweep.overrides if not word.startswith("trainer.accelerator"))
    spec = load(place.file, sweep.file, words)
    trials = Trials(Path.cwd(), spec, words)
    gpus = tuple(Gpu(index, "H200", f"GPU-{index}", None) for index in range(2))
    monkeypatch.setattr(sweep_crew, "detect_gpus", lambda: GpuState(True, gpus, "", "", None, ""))
    begun: list[list[str]] = []

    def carried_out(agents: list[Work], *_: Any) -> list[Ended]:
        begun.append([work.words[-1] for work in agents])
        return [Ended(work, 0) for work in agents]

    monkeypatch.setattr(sweep_crew, "carry_out", carried_out)
    flags = {"--count": None, "--until": None, "--gpu": None, "--fresh": False}
    ask = functools.partial(sweep_crew.sweep_crew, Path.cwd(), place, spec, trials, "local")
    for asked in (None, 1):
        assert ask(asked, flags, Stops(), False) == 0
    assert begun == [["--gpu=0", "--gpu=1"], ["--gpu=0"]]
    with pytest.raises(UsageError, match="--agents 3: each has a GPU of its own; GPUs here: 2"):
        ask(3, flags, Stops(), False)
