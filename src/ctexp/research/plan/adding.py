"""An experiment more in the file of a plan, whose every other byte stays as people wrote it."""

import yaml

from ctexp.core import yaml_file
from ctexp.core.errors import UsageError
from ctexp.research.plan.content import Kind

_CRITERIA = "# metric: {target: 0.05, acceptable: 0.02, failure: 0, direction: higher}"

_BEGINNING = """\
# What is asked, and when it counts as answered. Where it stands is told by scripts/inv research-status
project:
  name: {name}
  hypothesis:
  architecture:
experiments:
"""


def beginning(project: str) -> bytes:
    """The text of a plan without experiments."""
    return _BEGINNING.format(name=yaml_file.dump(project).removesuffix("...\n").strip()).encode()


def entry(name: str, title: str, kind: Kind, *, listed: bool = False) -> list[str]:
    """The lines of an experiment, without indentation around them."""
    about = {"name": title, "type": kind, "description": None, "sub_experiments": [name]}
    said = yaml_file.dump([{"id": name} | about] if listed else {name: about}).replace(": null\n", ":\n")
    replaces = ["  replaces:  # the experiment that failed"] if kind == "pivot" else []
    return [*said.splitlines(), *replaces, f"  success_criteria: {{}}  {_CRITERIA}"]


def added(content: bytes, shown: str, name: str, title: str, kind: Kind) -> bytes | None:
    """A plan with one experiment more; None where that cannot be done without touching the rest.

    Args:
        content: of the file; a plan that can be read.
        shown: what to call it in messages.
        name: the experiment's id, which the plan does not have yet.
        title: what to call it.
        kind: of experiment.
    """
    text = content.decode()
    end = "\r\n" if "\r\n" in text else "\n"
    place = _place(text)
    if place is None:
        return None
    before, indent, listed = place
    lines = text.split(end)
    if not lines[-1]:
        lines.pop()
    inserted = [" " * indent + line for line in entry(name, title, kind, listed=listed)]
    if "experiments" not in yaml_file.parse_mapping(content, shown)[0]:
        inserted = ["experiments:", *inserted]
    proposed = (end.join([*lines[:before], *inserted, *lines[before:]]) + end).encode()
    return proposed if _only_more(content, proposed, shown, name) else None


def _place(text: str) -> tuple[int, int, bool] | None:
    """Before which line, counted from 0, how far indented, and whether as an item of a list."""
    root = yaml.compose(text, Loader=yaml.CSafeLoader)
    lines = text.splitlines()
    if root is None:
        return len(lines), 2, False
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        return None
    found = [value for key, value in root.value if key.value == "experiments"]
    if not found:
        return len(lines), 2, False
    (section,) = found
    if isinstance(section, yaml.ScalarNode):
        return section.start_mark.line + 1, 2, False
    if section.flow_style:
        return None
    last = section.end_mark.line
    # What stands at the margin belongs to what follows; an indented remark still belongs to the experiments.
    while not lines[last - 1].strip() or lines[last - 1].startswith("#"):
        last -= 1
    return last, section.start_mark.column, isinstance(section, yaml.SequenceNode)


def _only_more(before: bytes, after: bytes, shown: str, name: str) -> bool:
    """Whether a text says all that it said before, and one experiment more."""
    then = yaml_file.parse_mapping(before, shown)[0]
    try:
        now = yaml_file.parse_mapping(after, shown)[0]
    except UsageError:
        return False
    old, new = then.pop("experiments", None), now.pop("experiments")
    if then != now:
        return False
    if isinstance(new, list):
        return bool(old == new[:-1] and new[-1]["id"] == name)
    return name in new and (old or {}) == {key: value for key, value in new.items() if key != name}
