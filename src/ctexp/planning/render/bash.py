"""The script of a night on this machine, or of jobs that it hands out; `bash.sh` is its template."""

from ctexp.executors.settings import DEFAULT
from ctexp.planning.render.script import Script


def bash_script(asked: Script, executor: str = DEFAULT) -> str:
    """The script; `executor` names the file of `conf/executor` that says where jobs run.

    Raises:
        UsageError: an override cannot stand on a command line.
    """
    said = "" if executor == DEFAULT else f" --executor {executor}"
    return asked.rendered("bash.sh", executor, {"executor": said, "rendered": said})
