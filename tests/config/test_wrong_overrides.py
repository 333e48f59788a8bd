"""What a user can get wrong on the command line, and the line that says how to get it right."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctexp.config.compose import compose
from ctexp.config.overrides import parse, quoted

Refusal = Callable[..., list[str]]

WRONG = {
    # values
    "data.batch_size=abc": 'data.batch_size: expected a whole number from 1 to 4096, got "abc"',
    "data.batch_size=0": "data.batch_size: expected a whole number from 1 to 4096, got 0",
    "data.batch_size=8.0": "data.batch_size: expected a whole number",
    "data.batch_size=true": "data.batch_size: expected a whole number",
    "data.batch_size={a:1}": "data.batch_size: expected a whole number",
    "data.batch_size=": "data.batch_size: expected a whole number",
    "data.batch_size=99999999999999999999999": "data.batch_size: expected a whole number",
    "seed=-1": "seed: expected a whole number from 0 to 4294967295, got -1",
    "seed=true": "seed: expected a whole number",
    "optimizer.lr=nan": "optimizer.lr: expected a number above 0, got NaN",
    "optimizer.lr=inf": "optimizer.lr: expected a number above 0, got Infinity",
    "optimizer.lr=1e999": "optimizer.lr: expected a number above 0",
    "optimizer.lr=0": "optimizer.lr: expected a number above 0",
    "optimizer.lr=true": "optimizer.lr: expected a number above 0",
    "optimizer.beta1=1.0": "optimizer.beta1: expected a number from 0 to below 1",
    "model.in_channels=true": "model.in_channels: expected one of 1, 3, got true",
    "model.in_channels=1.0": "model.in_channels: expected one of 1, 3",
    "model.pretrained=1": "model.pretrained: expected true or false, got 1",
    "data.resize=pads": "data.resize: expected one of pad, stretch, got \"pads\"; did you mean 'pad'?",
    "data.split=kfodl": "data.split: expected one of auto, official, clean, grouped, kfold, time",
    "data.split=kfold": "data.split=kfold needs one, for example data.fold=0",
    "git.dirty=yes": "git.dirty: expected one of ask, warn, refuse",
    "run.name=Night": "run.name: expected a name of at most 64 lower-case letters",
    "run.name=2026": 'run.name="2026"\'',
    "run.name=../x": "run.name: expected a name",
    "run.tags=a": "run.tags: expected a list [a,b]",
    "run.tags=[1,a]": "run.tags: expected a list [a,b]",
    "run=3": "run: expected the keys run.name, run.tags, run.description, got 3",
    "paths.data=null": "paths.data: expected a path, got null",
    "logger.project=a/b": "logger.project: expected a name without",
    "trainer.early_stopping=3": "trainer.early_stopping: expected the keys trainer.early_stopping.patience",
    # keys
    "data.batchsize=8": "data.batchsize: unknown key; did you mean 'data.batch_size'?",
    "+data.batchsize=8": "data.batchsize: unknown key; did you mean 'data.batch_size'?",
    "++data.batchsize=8": "data.batchsize: unknown key; did you mean 'data.batch_size'?",
    "~data.batchsize": "data.batchsize: unknown key; did you mean 'data.batch_size'?",
    "modle=resnet18": "modle: unknown key; did you mean 'model'?",
    "lr=0.1": "lr: unknown key; did you mean 'optimizer.lr'?",
    "batch_size=8": "batch_size: unknown key; did you mean 'data.batch_size'?",
    "trainer.lr=0.1": "trainer.lr: unknown key; did you mean 'optimizer.lr'?",
    "train.epochs=3": "train.epochs: unknown key; did you mean 'trainer.max_epochs'?",
    "optimiser=sgd": "optimiser: unknown key; did you mean 'optimizer'?",
    "dataset=phantom": "dataset: unknown key; did you mean 'data'?",
    "name=x": "'model.name' or",
    "data.fold=1": "data.split=auto has no folds",
    "data.fold=-1": "data.fold: expected a whole number of at least 0, or null, got -1",
    "seed.x=1": "seed.x: unknown key; seed is a whole number from 0",
    "zzz=1": "zzz: unknown key; `scripts/inv train --cfg` prints every key",
    "run={name:x,nam:y}": "run.nam: unknown key; did you mean 'run.name'?",
    "trainer.early_stopping={patiense:3}": "did you mean 'trainer.early_stopping.patience'?",
    "optimizer.momentum=0.9": "optimizer.momentum: does not belong to optimizer=adamw; it is of",
    "optimizer.name=sgd": "write optimizer=sgd",
    "scheduler.name=step": "write scheduler=step",
    # groups
    "model=resnett50": "model=resnett50: no 'resnett50' in conf/model; did you mean 'resnet50'?",
    "+model=resnett50": "did you mean 'resnet50'?",
    "model=[1]": "model=[1]: takes one name, not a list; choose one of: convnext_tiny",
    "model=[resnet18]": "takes one name, not a list",
    "model=../model/resnet18": "is a path; a group takes the plain name",
    "model=/etc/passwd": "is a path",
    "model=.hidden": "is a path",
    "model={a:1}": "takes the name of a file in conf/model",
    "model=resnet50.yaml": "did you mean 'resnet50'?",
    "model=resnet26": "timm has it: use model.name=resnet26",
    "model=": "model=: is empty; choose one of",
    "model=true": "choose one of",
    "optimizer=3": "optimizer=3: 3 is no file of conf/optimizer; choose one of: adamw, lion, sgd",
    "data=null": "data=null: null is no choice; choose one of: chest_ct, phantom",
    "logger=null": "for none at all write logger=none",
    "data=chest-ct": "did you mean 'chest_ct'; if it is an imported set, use data.name=chest-ct",
    "experiment=quickstar": "did you mean 'quickstart'?",
    "experiment=[quickstart]": "takes one name, not a list",
    "~model": "model cannot be left out",
    "~logger": "for none write logger=none",
    "~seed": "seed cannot be left out, it is a whole number",
    "~model.weights": "write model.weights=null",
    # Hydra's own ways
    "data.batch_size=8,16": "one run takes one value",
    "model=resnet18,resnet50": "one run takes one value",
    "data.batch_size=glob(*)": "one run takes one value",
    "data.batch_size=choice(8,16)": "one run takes one value",
    "data.batch_size=range(1,3)": "one run takes one value",
    "data.batch_size=interval(1,3)": "one run takes one value",
    "run.tags=a,b": "a list is 'run.tags=[a,b]'",
    "run.description=Hello, you": "text with commas is quoted: 'run.description=\"Hello, you\"'",
    "run.name=${oc.env:HOME}": "interpolations (${...}) are not allowed",
    'run.description="${oc.env:HOME}"': "interpolations (${...}) are not allowed",
    "run.tags=[${seed}]": "interpolations (${...}) are not allowed",
    "hydra.run.dir=x": "Hydra's own settings have no effect here",
    "hydra/launcher=x": "Hydra's own settings have no effect here",
    "+hydra.searchpath=[/tmp]": "Hydra's own settings have no effect here",
    "model@other=resnet18": "keys are joined by dots",
    "data/batch_size=3": "keys are joined by dots",
    # unreadable
    "model.weights=epoch=3.ckpt": "'model.weights=\"epoch=3.ckpt\"'",
    "run.description=it's": "is quoted: 'run.description=\"it'\"'\"'s\"'",
    "data.batch_size=[[": "the value cannot be read; expected a whole number",
    "model=a=b": "model takes the name of a file in conf/model",
    "data.batchsize=a=b": "did you mean 'data.batch_size'?",
    "quickstart": "an override is key=value",
    "": "an override is key=value",
    "=3": "an override is key=value",
    "run.description=" + "x" * 5000: "more than the 4096",
    "run.tags=" + "[" * 500: "more than 100 brackets",
    "run.name=a\x00b": "control characters",
    "run.name=a\udcff": "control characters or is not UTF-8",
    # models and metrics
    "model.name=resnet26x": "did you mean 'resnet26'?",
    "model.name=resnet50.a1_in1": "did you mean 'resnet50.a1_in1k'?",
    "model.name=resnet50.zzzz": "its weights are a1_in1k, ",
    "model.name=coatnet_2_224": "timm has no published weights for coatnet_2_224; set model.pretrained=false",
    "model.name=tiny_cnn": "tiny_cnn has no pretrained weights; set model.pretrained=false",
    "trainer.monitor=test/accuracy": "the test split is sealed; selection uses validation: val/accuracy",
    "trainer.monitor=train_loss": "selection uses validation: val/loss",
    "trainer.monitor=val/macrof1": "did you mean 'val/macro_f1'?",
}


@pytest.mark.parametrize("override", WRONG, ids=lambda text: text[:40])
def test_one_line_says_what_is_wrong_and_what_is_right(
    shipped: Path, refusal: Refusal, override: str
) -> None:
    lines = refusal(shipped, override)
    assert len(lines) == 1
    assert WRONG[override] in lines[0]


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (
            ["model.weights=w.safetensors", "model.pretrained=false"],
            "model.weights: needs model.pretrained=true",
        ),
        (["optimizer=sgd", "optimizer.momentum=0"], "optimizer.nesterov: needs optimizer.momentum above 0"),
        (["optimizer=sgd", "optimizer.beta1=0.9"], "optimizer.beta1: does not belong to optimizer=sgd"),
        (
            ["trainer.max_epochs=3", "scheduler.warmup_epochs=3"],
            "scheduler.warmup_epochs: 3 is not less than",
        ),
        (["trainer.accelerator=cpu", "trainer.precision=16"], "trainer.precision: 16 needs a GPU"),
        (["seed=1", "seed=2"], "seed: set twice, by seed=1 and seed=2; keep one"),
        (["seed=1", "++seed=1"], "seed: set twice"),
        (["model=resnet18", "model=resnet34"], "model: set twice, by model=resnet18 and model=resnet34"),
        (
            ["trainer.early_stopping=null", "trainer.early_stopping.patience=3"],
            "trainer.early_stopping: set twice",
        ),
    ],
)
def test_settings_that_contradict_each_other(
    shipped: Path, refusal: Refusal, overrides: list[str], expected: str
) -> None:
    lines = refusal(shipped, *overrides)
    assert len(lines) == 1
    assert expected in lines[0]


def test_everything_wrong_is_said_at_once(shipped: Path, refusal: Refusal) -> None:
    lines = refusal(
        shipped,
        "model=resnett50",
        "data.batchsize=8",
        "optimizer.lr=nan",
        "seed=a",
        "run.name=a=b",
        "model.dropout=9",
    )
    for part in ("resnet50", "data.batch_size", "optimizer.lr", "seed:", "run.name"):
        assert sum(part in line for line in lines) == 1, part
    # What a wrongly chosen group would have made of its keys is anybody's guess.
    assert not any("dropout" in line for line in lines)


@pytest.mark.parametrize("prefix", ["", "+", "++"])
def test_a_plus_changes_nothing(shipped: Path, prefix: str) -> None:
    plain = compose(["data.batch_size=8", "model=resnet34", "experiment=quickstart"], shipped)
    same = [f"{prefix}data.batch_size=8", f"{prefix}model=resnet34", f"{prefix}experiment=quickstart"]
    assert compose(same, shipped).sha256 == plain.sha256


@pytest.mark.parametrize("none", ["~experiment", "experiment=null", "++experiment=null"])
def test_an_experiment_may_be_left_out(shipped: Path, none: str) -> None:
    assert compose([none], shipped).sha256 == compose([], shipped).sha256


def test_the_quoted_form_that_is_advised_works(shipped: Path, refusal: Refusal) -> None:
    (line,) = refusal(shipped, "run.description=lr=3, really")
    advised = shlex.split(line)[-1]
    assert compose([advised], shipped).settings.run.description == "lr=3, really"


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=40))
def test_quoting_keeps_any_text(text: str) -> None:
    (word,) = shlex.split(quoted("run.description", text))
    if "${" not in text:
        (override,), problems = parse([word])
        assert (override.value, problems) == (text, [])


FRAGMENTS = st.sampled_from(
    [
        *(
            "model",
            "data.batch_size",
            "run.tags",
            "optimizer",
            "trainer.early_stopping",
            "hydra",
            "x.y",
            "seed",
        ),
        *(
            "=",
            "==",
            "+",
            "++",
            "~",
            "@",
            "/",
            ".",
            ",",
            ":",
            "$",
            "${",
            "}",
            "[",
            "]",
            "{",
            "(",
            ")",
            "\\",
            "'",
            '"',
        ),
        *(
            "1",
            "-1e3",
            "nan",
            "null",
            "true",
            "glob(*)",
            "choice(",
            "range(1,2)",
            "sort(",
            "int(",
            "resnet18",
            "a b",
        ),
        *("\n", "\t", "é", "\ud800", "\x00", "???"),
    ]
)


@given(st.lists(FRAGMENTS, max_size=12).map("".join) | st.text(max_size=60))
def test_no_text_breaks_the_parser(text: str) -> None:
    found, problems = parse([text])
    assert len(found) + len(problems) == 1


def test_a_wrong_word_is_refused_before_torch_is_imported(shipped: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from ctexp.config.compose import compose\n"
        "from ctexp.core.errors import UsageError\n"
        "compose(['model.name=resnet26', 'data=phantom'], Path(sys.argv[1]))\n"
        "try: compose(['model.name=resnet26x'], Path(sys.argv[1]))\n"
        "except UsageError as error: print(error)\n"
        "print(sorted({'torch', 'timm', 'pytorch_lightning'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(shipped)], capture_output=True, text=True, check=True
    )
    assert re.search(r"did you mean 'resnet26'\?\n\[\]\n", done.stdout)
