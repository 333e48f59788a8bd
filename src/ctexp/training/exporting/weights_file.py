"""safetensors: the weights alone, for programs that build the network themselves."""

from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import load_file, save_file

from ctexp.core.errors import CriterionNotMet
from ctexp.core.files import replacing
from ctexp.training.judging.network import Network, Trained, without_weights


def write(trained: Trained, path: Path, about: Mapping[str, str]) -> None:
    """Write the weights by the names they have in the network, with what the file says of itself.

    Raises:
        StorageError: the disk is full.
    """
    weights = trained.network.model.state_dict()
    apart = {name: value.contiguous().clone() for name, value in weights.items()}
    with replacing(path) as temporary:
        save_file(apart, temporary, dict(about))


def read(trained: Trained, path: Path) -> Network:
    """A network built anew around the weights of a file.

    Raises:
        CriterionNotMet: the file holds other weights than the run's.
    """
    weights, expected = load_file(path), trained.network.model.state_dict()
    differing = sorted(
        name
        for name in expected.keys() | weights.keys()
        if name not in weights or name not in expected or not weights[name].equal(expected[name])
    )
    if differing:
        raise CriterionNotMet(
            f"the weights read back differ from the run's in {', '.join(differing[:3])}",
            "nothing was written",
        )
    model = without_weights(trained.settings, trained.manifest)
    model.load_state_dict(weights)
    return Network(model, trained.settings).eval()
