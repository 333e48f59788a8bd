"""A wrong file is refused with all that is wrong with it, each on its line, and the way out."""

from pathlib import Path

import pytest

from tests.sweeps.file.sheets import HEAD, refused

WRONG = """\
method: bays
metric: {name: test/accuracy, gaol: maximize}
paramters: {}
run_cap: 0
early_terminate: {type: median, min_iter: 2, eta: 1.5}
parameters:
  optimizer.lr: {distribution: log_uniform_value, min: 1, max: 2}
  model.dropout: {min: 3, max: 1}
  loss.gamma: {min: 0, max: 0.5}
  model: {values: []}
  loss: {values: [a, b], probabilities: [0.5]}
  data.batch_size: {min: 1e-5}
  sampler: 3
  seed: {values: [1, 2]}
  trainer.max_epochs: {mni: 1, max: 2}
  run.name: {value: x}
  augment: {distribution: beta, a: 1}
ctexp:
  conditions: {model.dropout: model == resnet}
  constraint: [1]
  storage: postgresql://anna:secret@host/sweeps
  seeds: [1, 1]
  overrides: [seed=3]
  budget: 90
  objective: best
"""


def test_everything_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    problems = refused(tmp_path, WRONG)
    lines = [int(problem.split(":")[1]) for problem in problems]
    assert lines == sorted(lines)
    assert set(lines) == {*range(1, 6), *range(7, 18), *range(19, 26)}
    said = "\n".join(problems)
    for near in (
        "'bayes'",
        "'goal'",
        "'parameters'",
        "'log_uniform_values'",
        "'min'",
        "'constraints'",
    ):
        assert f"did you mean {near}?" in said
    assert "secret" not in said
    assert "the test split is sealed" in said
    assert "write 0.0 and 0.5, or distribution: uniform" in said
    assert "'90' has no unit; write a number with its unit" in said


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        ("min: 2, max: 1", "optimizer.lr.min: 2 is above max, 1"),
        ("distribution: log_uniform_values, min: 0, max: 1", "0 has no logarithm"),
        ("distribution: log_uniform_values, min: -1, max: 1", "-1 has no logarithm"),
        ("distribution: log_uniform, min: 1, max: 1000", "log_uniform_values takes bounds as they are"),
        ("distribution: loguniform, min: 1e-5, max: 1e-2", "did you mean 'log_uniform_values'?"),
        ("distribution: loguniform, min: -9, max: -4", "did you mean 'log_uniform'?"),
        ("distribution: q_uniform, min: 0.2, max: 0.7", "no multiple of 1 is between min and max"),
        ("distribution: q_uniform, min: 0, max: 1, q: 0", "optimizer.lr.q: expected a number above 0"),
        ("distribution: int_uniform, min: 1.5, max: 3", "expected a whole number"),
        ("distribution: uniform, min: 0", "optimizer.lr.max: missing"),
        ("distribution: uniform, min: a, max: 1", "expected a number, got 'a'"),
        (
            "distribution: log_normal, mu: 800",
            "log_normal with mu 800 and sigma 1 reaches beyond all numbers",
        ),
        ("distribution: normal, mu: 1e308, sigma: 1e308", "reaches beyond all numbers"),
        ("distribution: q_uniform, min: 0, max: 1e300, q: 1e-300", "no number from min to max is exact to"),
        ("min: -1e308, max: 1e308", "no number is as large as what lies between min and max"),
        ("distribution: normal, sigma: 0", "optimizer.lr.sigma: expected a number above 0"),
        ("mu: 0, sigma: 1", "optimizer.lr.distribution: missing; choose one of: normal"),
        ("value: 1, min: 0", "a parameter that is constant has no min; it takes value"),
        ("distribution: normal, min: 0", "a parameter that is normal has no min; it takes mu and sigma"),
        ("values: [{a: 1}]", "a value is a text, a number"),
        ("values: [1, 2], probabilities: [0.5, 0.6]", "they add up to 1.1, not to 1"),
        ("values: [1, 2], probabilities: [1.5, -0.5]", "each is a number of at least 0"),
        ("max: 1", "min is missing: value, values, or min and max"),
        ("", "nothing says what it may be"),
    ],
)
def test_an_impossible_parameter(tmp_path: Path, entry: str, what: str) -> None:
    problems = refused(tmp_path, f"{HEAD}parameters:\n  optimizer.lr: {{{entry}}}\n")
    assert any(
        problem.startswith("some.yaml:5: parameters.optimizer.lr") and what in problem for problem in problems
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            "method: grid\nparameters: {a: {min: 0.0, max: 1.0}}",
            "some.yaml:2: parameters.a: a grid takes values",
        ),
        ("method: bayes\nparameters: {a: {value: 1}}", "metric: its name is missing"),
        (
            "method: custom\nparameters: {a: {value: 1}}",
            "some.yaml:1: method: custom draws trials by a program",
        ),
        ("method: random", "parameters: missing"),
        ("method: random\nparameters: {}", "parameters: at least one"),
        ("parameters: {a: {value: 1}}", "method: missing; choose one of: grid, random, bayes"),
        (
            "method: random\nmetrics: [{name: x}, {name: y}]\nparameters: {a: {value: 1}}",
            "choose one: metric",
        ),
        (
            "method: random\nmetric: {name: val_acc, goal: minimize}\nparameters: {a: {value: 1}}",
            "metric.goal: larger values of val/accuracy are the better ones: write maximize",
        ),
        (
            "method: random\nmetric: {name: train/loss}\nparameters: {a: {value: 1}}",
            "nothing is chosen by training",
        ),
        ("method: random\nmetric: {name: val/f2}\nparameters: {a: {value: 1}}", "did you mean 'val/"),
        (
            "method: grid\nparameters: {a.b: {value: 1}, a: {parameters: {b: {value: 2}}}}",
            "a.b is given twice",
        ),
        ("method: grid\nparameters: {a: {parameters: {}}}", "parameters.a.parameters: at least one"),
        ("method: grid\nparameters: {'a b': {value: 1}}", "a parameter is a key of the configuration"),
        ("method: grid\nparameters: {a: {value: 1}, a: {value: 2}}", "given twice"),
        ("method: grid\nparameters: &x {a: {value: 1}}", "anchors"),
        ("- method: grid", "expected keys and values"),
    ],
)
def test_other_mistakes(tmp_path: Path, text: str, what: str) -> None:
    assert any(what in problem for problem in refused(tmp_path, f"{text}\n"))


@pytest.mark.parametrize(
    ("added", "what"),
    [
        ("conditions: {b: a == 1}", "ctexp.conditions.b: no parameter of this sweep; choose one of: a, c"),
        ("conditions: {a: a == 1}", "speaks of a itself"),
        ("conditions: {a: c == 1, c: a == 1}", "each wait for the other"),
        ("conditions: {a: 3}", "expected a condition like"),
        ("constraints: [a == x]", "x is no parameter of this sweep; choose one of: a, c"),
        ("constraints: [a ==]", "is no condition"),
        ("constraints: [open('x')]", "is not allowed"),
        ("seeds: [1, -1]", "ctexp.seeds.1: expected a whole number from 0"),
        ("folds: 1", "ctexp.folds: expected a whole number from 2"),
        ("objective: mean_minus_se", "a standard error needs two trainings a trial"),
        ("overrides: [a=2]", "a=2: the sweep chooses it"),
        ("overrides: [run.name=x]", "run.name is said by name"),
        ("{overrides: [data.fold=1], folds: 3}", "data.fold is said by ctexp.folds"),
        ("sampler: tpe", "a grid has none"),
        ("storage: mysql://host/db", "expected postgresql://"),
        ("storage: postgresql://host/db?password=x", "holds a password"),
        ("budget: 0s", "is no time at all"),
        ("backend: slurm", "is none it can be; choose one of: optuna, ray, wandb"),
        ("resources: {cpus: 2}", "are of backend ray, not optuna"),
        ("{backend: wandb, constraints: [a == 1]}", "W&B draws the trials and knows nothing of it"),
        ("early: {kind: asha, brackets: 3}", "is kind: hyperband"),
        ("early: {min_epochs: 5, max_epochs: 4}", "4 is not above min_epochs, 5"),
    ],
)
def test_wrong_additions(tmp_path: Path, added: str, what: str) -> None:
    ours = added if added.startswith("{") else f"{{{added}}}"
    text = f"method: grid\nparameters: {{a: {{values: [1, 2]}}, c: {{values: [1, 2]}}}}\nctexp: {ours}\n"
    assert any(what in problem for problem in refused(tmp_path, text))


def test_an_override_of_what_is_searched(tmp_path: Path) -> None:
    text = "method: grid\nparameters:\n  optimizer.lr: {values: [1, 2]}\n"
    assert refused(tmp_path, text, "optimizer.lr=3") == [
        "optimizer.lr=3: the sweep chooses it (some.yaml:3); leave it out"
    ]


def test_a_grid_of_nothing_or_of_far_too_much(tmp_path: Path) -> None:
    none = "method: grid\nparameters: {a: {values: [1, 2]}}\nctexp: {constraints: [a > 2]}\n"
    assert refused(tmp_path, none) == ["some.yaml:3: ctexp.constraints: no combination is left"]
    many = "method: grid\nparameters: {a: {min: 1, max: 1000}, b: {min: 1, max: 1000}}\n"
    assert refused(tmp_path, many) == ["some.yaml:2: parameters: more than 10000 combinations"]
