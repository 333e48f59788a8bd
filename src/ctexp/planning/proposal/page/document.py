"""The page."""

from collections.abc import Iterator
from pathlib import Path

from ctexp.planning.proposal.documents import Proposal
from ctexp.planning.proposal.page import afterwards, experiments, resources, script, summary
from ctexp.planning.proposal.page.meanings import Meanings
from ctexp.planning.proposal.page.night import Night


def page(proposal: Proposal, root: Path) -> str:
    """`NAME.md` of a proposal, Markdown.

    The same proposal gives the same page: times are counted from the start of the night.

    Args:
        proposal: what is told.
        root: of the project, in whose `conf/` stands what each setting means.
    """
    night = Night.of(proposal)
    lines = [*_head(proposal), *summary.section(night)]
    lines += experiments.section(night, Meanings(root / "conf"))
    for told in (script.section(night), resources.section(night), afterwards.section(night)):
        lines += told
    return "\n".join(lines).rstrip() + "\n"


def _head(proposal: Proposal) -> Iterator[str]:
    name = proposal.plan.name
    yield f"# {name}: a night of experiments"
    yield ""
    yield (
        "A computer trains networks that tell four kinds of chest-CT images apart (three cancers, and "
        "normal). This page says what it will try tonight, why, what that takes, and how the "
        f"answers are to be read in the morning. `inv plan` wrote it, beside the plan itself, "
        f"[{name}.yaml]({name}.yaml)."
    )
    yield ""
