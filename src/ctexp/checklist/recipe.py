"""What a run was told to do: its seed, its settings, its images and how they were made ready."""

from ctexp.checklist.answers import Answer, full, open_still, partly
from ctexp.checklist.evidence import Evidence

_AGAIN = "train again: {command}"
_PREPARED = ("image_size", "resize", "mean", "std")


def seed(of: Evidence) -> Answer:
    """The seed is recorded, and the one the configuration has."""
    recorded = of.manifest.seed
    if of.config is None:
        return open_still("without its configuration nothing can be compared")
    if of.config.get("seed") != recorded:
        detail = f"manifest.json {recorded}, config.yaml {of.config.get('seed')}"
        return partly(0.0, "manifest and configuration name different seeds", _AGAIN, detail)
    return full("recorded", str(recorded))


def configuration(of: Evidence) -> Answer:
    """Every setting is kept, unchanged since the run began; the first weights are named by content."""
    found = of.config_sha256
    if found is None:
        detail = next((line for line in of.problems if of.run.config.name in line), "")
        return partly(0.0, "config.yaml is missing or damaged", _AGAIN, detail)
    if found != of.manifest.config_sha256:
        fix = "bring back config.yaml from a copy of the run, or train again: {command}"
        return partly(0.0, "config.yaml was changed after the run began", fix)
    if not of.run.overrides.is_file():
        return partly(0.7, "overrides.yaml, what was typed, is missing", _AGAIN)
    weights = of.manifest.weights
    if weights.sha256 is None and weights.source != "random":
        said = "it began with weights that are not named by content"
        return partly(0.6, said, _AGAIN, weights.source)
    return full("kept, unchanged", found[:12])


def data(of: Evidence) -> Answer:
    """Catalog and split are named by content, and DVC can bring them back."""
    dataset = of.manifest.dataset
    if dataset.split_sha256 is None:
        said = "the record does not say which images were on which side"
        return partly(0.4, said, _AGAIN, "of an older ctexp")
    if dataset.synthetic:
        return full("named by content; a program draws the images again", dataset.catalog_sha256[:12])
    if dataset.dvc is None or dataset.dvc.raw is None:
        why = dataset.dvc.reason if dataset.dvc else "of an older ctexp"
        fix = "scripts/inv data-push --dataset {data} && git add dvc.lock && git commit -m 'data of {data}'"
        return partly(0.6, "named by content, but no version is kept that could be fetched", fix, why)
    return full("named by content, and a version of DVC", dataset.dvc.raw[:12])


def preprocessing(of: Evidence) -> Answer:
    """How an image became the network's input."""
    missing = [name for name in _PREPARED if of.manifest.preprocessing.get(name) is None]
    if missing:
        share = 1 - len(missing) / len(_PREPARED)
        said = "the record does not say all that was done to an image"
        return partly(share, said, _AGAIN, f"missing: {', '.join(missing)}")
    done = of.manifest.preprocessing
    return full("recorded", f"{done['image_size']} pixels, {done['resize']}")
