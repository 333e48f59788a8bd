"""What a composed configuration is, and that it can be read back."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctexp.config.compose import compose, load, paths_of, resolve_paths
from ctexp.config.keys import GROUPS, keys
from ctexp.config.schema import Settings
from ctexp.core import yaml_file
from ctexp.core.errors import DataError, UsageError


def test_what_was_composed_is_written_and_read_back(shipped: Path, tmp_path: Path) -> None:
    overrides = ["optimizer=sgd", "run.tags=[a,no]", "run.description='1e-3'", "optimizer.lr=1", "seed=0"]
    composed = compose(overrides, shipped)
    file = tmp_path / "config.yaml"
    file.write_text(composed.yaml)
    assert composed.overrides == tuple(overrides)
    assert yaml_file.read_mapping(file) == composed.resolved == composed.settings.model_dump()
    assert load(file, composed.sha256) == composed.settings
    assert list(composed.resolved) == list(Settings.model_fields)


def test_the_hash_is_of_what_is_meant(shipped: Path) -> None:
    plain = compose([], shipped)
    assert (
        compose(["optimizer.lr=0.0001", "trainer.monitor=val_f1", "data=chest_ct"], shipped).sha256
        == plain.sha256
    )
    assert compose(["seed=43"], shipped).sha256 != plain.sha256
    assert len(plain.sha256) == 64


def test_a_file_that_was_changed_is_read_anew(project: Path) -> None:
    model, local = project / "conf" / "model" / "mine.yaml", project / "conf" / "local.yaml"
    with pytest.raises(UsageError, match="no 'mine'"):
        compose(["model=mine"], project)
    for dropout in (0.25, 0.5):
        model.write_text(f"defaults: [tiny_cnn, _self_]\ndropout: {dropout}\n")
        assert compose(["model=mine"], project).settings.model.dropout == dropout
    local.write_text("logger: {project: mine}\n")
    assert compose(["model=mine"], project).settings.logger.project == "mine"
    local.unlink()
    assert compose(["model=mine"], project).settings.logger.project == "ctexp"


def test_settings_do_not_change(shipped: Path) -> None:
    composed = compose([], shipped)
    with pytest.raises(ValueError, match="frozen"):
        composed.settings.data.batch_size = 3


def test_whole_numbers_do_for_numbers(shipped: Path) -> None:
    lr = compose(["optimizer.lr=1"], shipped).settings.optimizer.lr
    assert (lr, type(lr)) == (1.0, float)
    assert compose(["trainer.precision=32"], shipped).settings.trainer.precision == "32"


def test_a_damaged_record_is_bad_data(shipped: Path, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(compose([], shipped).yaml.replace("batch_size: 32", "batch_size: many"))
    with pytest.raises(DataError, match=r"data\.batch_size: expected a whole number"):
        load(file, "0" * 64)
    file.write_text("a: [")
    with pytest.raises(DataError, match="not valid YAML"):
        load(file, "0" * 64)


def test_paths_hang_from_the_root(project: Path) -> None:
    assert resolve_paths(project) == (project / "data", project / "runs")
    (project / "conf" / "local.yaml").write_text("paths: {data: /mnt/ct, runs: ~/runs}\n")
    expected = (Path("/mnt/ct"), Path.home() / "runs")
    assert resolve_paths(project) == expected
    assert paths_of(compose([], project).settings.paths, project) == expected
    assert paths_of(compose(["paths.runs=out"], project).settings.paths, project)[1] == project / "out"


@pytest.mark.parametrize(
    "text", ["paths: {data: 3}", "paths: {runs: ''}", "paths: {runs: null}", "paths: {data: ~nobody-x/y}"]
)
def test_paths_that_are_none(project: Path, text: str) -> None:
    (project / "conf" / "local.yaml").write_text(text + "\n")
    with pytest.raises(UsageError):
        resolve_paths(project)


def test_where_runs_are_is_known_without_hydra_and_pydantic(shipped: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from ctexp.config.compose import resolve_paths\n"
        "resolve_paths(Path(sys.argv[1]))\n"
        "sys.exit(bool({'hydra', 'pydantic', 'omegaconf', 'torch'} & set(sys.modules)))\n"
    )
    subprocess.run([sys.executable, "-c", program, str(shipped)], check=True)


VALUES = st.one_of(
    st.sampled_from(["", "1", "0", "-1", "0.5", "1e-3", "1e400", "nan", "null", "true", "a", "'1'", "???"]),
    st.sampled_from(["[a]", "[]", "{}", "{a:1}", "{name:a}", "{lr:1}", "a/b", "../x", "a,b", "a=b"]),
    st.sampled_from(["resnet18", "sgd", "none", "quickstart", "phantom", "val/loss", "val_f1"]),
)
NAMES = st.sampled_from(
    sorted([*keys(), *GROUPS, "experiment", "lr", "data.batchsize", "hydra.run", "a.b.c"])
)
OVERRIDES = st.builds("{}{}={}".format, st.sampled_from(["", "", "+", "++", "~"]), NAMES, VALUES)


@settings(max_examples=25, deadline=None)
@given(st.lists(OVERRIDES, max_size=5))
def test_any_overrides_compose_or_are_refused(shipped: Path, overrides: list[str]) -> None:
    try:
        composed = compose(overrides, shipped)
    except UsageError as error:
        refused = error.lines()
    else:
        refused = []
        assert Settings.model_validate(composed.resolved) == composed.settings
        assert yaml_file.parse(composed.yaml.encode(), "config.yaml") == composed.resolved
    assert all(len(line) > len("UsageError: ") for line in refused)
