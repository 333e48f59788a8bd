"""A grid is every combination that conditions and constraints leave, each once."""

from pathlib import Path

from ctexp.sweeps.file.grid import cells, is_finite, size
from tests.sweeps.file.sheets import HEAD, read, refused


def test_every_combination_in_the_order_of_the_file(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        "method: grid\nparameters:\n  a: {values: [x, y]}\n  b: {min: 1, max: 3}\n"
        "  c: {distribution: q_uniform, min: 0.1, max: 0.3, q: 0.1}\n",
    )
    found = cells(spec.space)
    assert len(found) == size(spec.space) == 2 * 3 * 3
    assert found[0] == {"a": "x", "b": 1, "c": 0.1}
    assert found[1] == {"a": "x", "b": 1, "c": 0.2}
    assert found[-1] == {"a": "y", "b": 3, "c": 0.3}


def test_conditions_and_constraints(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        """method: grid
parameters:
  loss.gamma: {values: [1.0, 2.0]}
  loss: {values: [ce, focal]}
  data.batch_size: {values: [8, 16]}
ctexp:
  conditions: {loss.gamma: loss == 'focal'}
  constraints: ["not (loss == 'ce' and data.batch_size == 16)", "loss.gamma * data.batch_size < 32"]
""",
    )
    assert cells(spec.space) == [
        {"loss": "ce", "data.batch_size": 8},
        {"loss": "focal", "loss.gamma": 1.0, "data.batch_size": 8},
        {"loss": "focal", "loss.gamma": 1.0, "data.batch_size": 16},
        {"loss": "focal", "loss.gamma": 2.0, "data.batch_size": 8},
    ]


def test_what_can_be_counted(tmp_path: Path) -> None:
    def space(entry: str) -> bool:
        return is_finite(read(tmp_path, f"{HEAD}parameters: {{a: {{{entry}}}}}\n").space)

    assert space("values: [1, 2]")
    assert space("min: 1, max: 9")
    assert not space("min: 1.0, max: 9.0")
    assert not space("distribution: q_normal, q: 1")
    assert not space("min: 1, max: 1000000")


def test_the_trainings_of_a_trial(tmp_path: Path) -> None:
    text = "method: grid\nparameters: {a: {values: [1, 2]}}\n"
    (one,) = read(tmp_path, text).members(42)
    assert (one.label, one.words) == ("s42", ("seed=42",))
    both = read(tmp_path, f"{text}ctexp: {{seeds: [1, 2], folds: 3}}\n").members(42)
    assert [member.label for member in both] == ["s1-f0", "s1-f1", "s1-f2", "s2-f0", "s2-f1", "s2-f2"]
    assert both[4].words == ("data.split=kfold", "data.fold=1", "seed=2")


def test_however_many_cells_there_would_be_they_are_refused_at_once(tmp_path: Path) -> None:
    (problem,) = refused(
        tmp_path,
        "method: grid\nmetric: {name: val/macro_f1}\nparameters:\n"
        "  optimizer.lr: {distribution: q_uniform, min: 0.0, max: 1.0, q: 1.0e-15}\n",
    )
    assert problem == "some.yaml:3: parameters: more than 10000 combinations"


def test_more_parameters_than_keys_are_refused(tmp_path: Path) -> None:
    many = "".join(f"  loss.a{number}: {{value: 1}}\n" for number in range(201))
    problems = refused(tmp_path, f"method: grid\nmetric: {{name: val/macro_f1}}\nparameters:\n{many}")
    assert problems[0] == "some.yaml:3: parameters: 201 of them, more than the 200 there may be"
