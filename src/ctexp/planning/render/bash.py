"""The script of a night on this machine, or of jobs that it hands out; `bash.sh` is its template."""

from ctexp.planning.render.script import Script

_HERE = "local"
"""The executor that is meant where none is named."""


def bash_script(asked: Script, executor: str = _HERE) -> str:
    """The script; `executor` names the file of `conf/executor` that says where jobs run.

    Raises:
        UsageError: an override cannot stand on a command line.
    """
    said = "" if executor == _HERE else f" --executor {executor}"
    return asked.rendered("bash.sh", f"scripts/{asked.plan.name}.sh", {"executor": said, "rendered": said})
