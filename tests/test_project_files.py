"""What stands in the README, the docs and `dvc.yaml` is there."""

import re
import statistics
import subprocess
import sys
from pathlib import Path

import grimp
import pytest
from invoke.collection import Collection

import tasks
from ctexp.core import yaml_file
from ctexp.queue.__main__ import COMMANDS
from docs.pictures import imports
from tests.docs.pages import PAGES

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_data_pipeline_parses_and_watches_files_that_exist() -> None:
    dvc = Path(sys.executable).with_name("dvc")
    listed = subprocess.run([dvc, "stage", "list"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert listed.stdout.startswith("phantom")
    for dependency in re.findall(r"^ +- (src/.*)$", (ROOT / "dvc.yaml").read_text(), re.MULTILINE):
        assert (ROOT / dependency).exists()


def test_what_is_hashed_as_text_has_the_same_line_ends_on_every_machine() -> None:
    files = ["research/splits/chest_ct/clean.txt", "research/features/chest_ct.yaml"]
    done = subprocess.run(
        ["git", "check-attr", "text", "eol", "--", *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for file in files:
        assert f"{file}: text: set" in done.stdout
        assert f"{file}: eol: lf" in done.stdout


def test_the_pipeline_writes_no_split_that_people_choose() -> None:
    pipeline = yaml_file.read_mapping(ROOT / "dvc.yaml")
    assert pipeline["stages"]["split"]["do"]["cmd"].endswith("--scheme clean")
    assert pipeline["stages"]["split"]["do"]["outs"] == [
        {"research/splits/${item}/clean.txt": {"cache": False}}
    ]


def test_the_picture_of_the_imports_is_of_the_code_as_it_is() -> None:
    assert imports.PICTURE.read_text() == imports.drawn(), "-> .venv/bin/python -m docs.pictures.imports"


def test_every_file_that_the_walks_through_the_code_name_is_there() -> None:
    named = set(re.findall(r"`([a-z_/]+\.(?:py|sh))`", (ROOT / "docs" / "architecture.md").read_text()))
    there = [f"/{path.relative_to(ROOT)}" for path in ROOT.glob("*.py")]
    there += [f"/{path.relative_to(ROOT)}" for path in (ROOT / "src").rglob("*.*") if path.is_file()]
    assert len(named) > 100
    assert {name for name in named if not any(path.endswith(f"/{name}") for path in there)} == set()


def test_no_file_is_long_and_most_are_short() -> None:
    folders = ("src", "tests", "benchmarks", "research/handlers")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    lines = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in files}
    assert [name for name, count in lines.items() if count > 400] == []
    assert statistics.median(lines.values()) < 150


def test_every_module_is_imported_or_started_by_something() -> None:
    """By an import, as a verb's module, as a command of the queue's program, or as it says itself."""
    graph = grimp.build_graph("ctexp", cache_dir=None)
    verbs = "".join(path.read_text() for path in (ROOT / "src/ctexp/cli/verbs").glob("*.py"))
    started = {"ctexp.cli.frontdoor", *(f"ctexp.queue.{command}" for command in COMMANDS)}
    started |= {f"ctexp.cli.{module}" for module in re.findall(r'@verb\(\s*"(\w+):', verbs)}
    started |= set(re.findall(r"from (ctexp[\w.]+) import", (ROOT / "tasks.py").read_text()))
    alone = {
        module
        for module in graph.modules - started
        if not graph.find_modules_that_directly_import(module) and not graph.find_children(module)
    }
    for module in sorted(alone):
        path = module.replace(".", "/")
        text = (ROOT / "src" / f"{path}.py").read_text()
        called = re.search(rf"-m {module}\b|{path}\.py::", text)
        assert called or module.endswith("__main__"), f"nothing uses {module}"


def test_the_table_of_the_readme_has_every_verb_once() -> None:
    table = re.findall(r"^\| [^|]+ \| (.+) \| .+ \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    told = [verb for row in table for verb in re.findall(r"`([a-z-]+)`", row)]
    assert sorted(told) == sorted(Collection.from_module(tasks).task_names)
