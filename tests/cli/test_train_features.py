"""Training with radiomics beside the image, through the verbs: what is needed and what is recorded."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from invoke.exceptions import Exit

from ctexp.cli.verb import perform
from ctexp.record.manifest import Manifest
from ctexp.record.run_dir import RunDir
from tests.leaky import add_leaky_set
from tests.project import TINY, make_project, newest

pytestmark = pytest.mark.usefixtures("blank_pictures")

WORDS = (*TINY[1:-2], "trainer.max_epochs=2", "logger=none")
SINGLE = ("data.name=leaky", *WORDS)
DUAL = (*SINGLE, "model.fusion=concat")
FLAGS = {"resume": None, "cfg": False, "dry_run": False, "yes": False, "json": False}


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose data set has its features."""
    folder = make_project(tmp_path_factory.mktemp("dual") / "project")
    add_leaky_set(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        perform("features:extract", {"dataset": "leaky", "split": "auto", "json": False}, debug=True)
    return folder


@pytest.fixture
def project(measured: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(measured)
    shutil.rmtree("runs", ignore_errors=True)
    return measured


def train(*words: str, **flags: object) -> RunDir:
    perform("train:train", FLAGS | {"override": list(words)} | flags, debug=True)
    return newest(Path("runs"))


def refused(capsys: pytest.CaptureFixture[str], code: int, call: Callable[[], object]) -> str:
    capsys.readouterr()
    with pytest.raises(Exit) as caught:
        call()
    assert caught.value.code == code
    return capsys.readouterr().err


def predictions(run: RunDir) -> bytes:
    columns = pq.read_table(
        run.predictions("val"), columns=[f"logit_{n}" for n in ("adenocarcinoma", "normal")]
    )
    return b"".join(column.combine_chunks().to_numpy().tobytes() for column in columns.columns)


@pytest.mark.usefixtures("project")
def test_the_record_says_which_features_and_a_stranger_can_evaluate(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = train(*DUAL, "features=all_features")

    recorded = Manifest.read(run.manifest).features
    assert recorded is not None
    assert recorded["name"] == "all_features"
    assert isinstance(recorded["columns"], list)
    assert len(recorded["columns"]) == 50
    before = predictions(run)
    capsys.readouterr()
    perform("evaluate:evaluate", {"run": "latest", "split": "val", "json": True}, debug=True)
    assert json.loads(capsys.readouterr().out)["run_id"] == run.id
    assert predictions(run) == before


@pytest.mark.usefixtures("project")
def test_features_change_what_is_learned() -> None:
    with_features = train(*DUAL, "features=all_features")
    image_alone = train(*SINGLE)

    assert predictions(with_features) != predictions(image_alone)
    assert Manifest.read(image_alone.manifest).features is None


@pytest.mark.usefixtures("project")
def test_other_features_than_it_began_with_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    run = train(*DUAL, "features=all_features")
    manifest = json.loads(run.manifest.read_text())
    manifest["features"]["mean"][0] += 1
    run.manifest.write_text(json.dumps(manifest))

    evaluate = {"run": run.id, "split": "val", "json": False}
    error = refused(capsys, 3, lambda: perform("evaluate:evaluate", evaluate, debug=False))

    assert "the features are not those it began with" in error


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((*SINGLE, "features=all_features"), 2, "would not be read"),
        (DUAL, 2, "needs some"),
        ((*DUAL, "features=top_featurs"), 2, "top_features"),
        ((*DUAL, "features=top_features", "data.split=kfold", "data.fold=0"), 3, "data-split"),
    ],
)
def test_what_does_not_fit_is_refused(
    words: tuple[str, ...], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = FLAGS | {"override": list(words)}

    error = refused(capsys, code, lambda: perform("train:train", flags, debug=False))

    assert said in error
    assert not Path("runs").exists()


def test_a_set_without_features_names_the_command(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_leaky_set(project, name="unmeasured")
    words = [*WORDS, "model.fusion=concat", "features=all_features", "data.name=unmeasured"]

    error = refused(capsys, 3, lambda: perform("train:train", FLAGS | {"override": words}, debug=False))

    assert "inv extract-features --dataset unmeasured" in error
