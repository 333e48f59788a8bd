"""Bare Hydra overrides under the stock `inv` program, and command-line errors a person can act on.

Invoke's parser takes every bare word after a task for the next task's name. It makes its state machine anew
for each parse, looking the class up in its own module, and by then tasks.py has been loaded: that is the
seam used here, and the same one for what a task's help says of its flags. This file is on the way of
`inv --list`, so it imports nothing heavier than invoke.
"""

import re
import sys
from typing import Any

from invoke import collection
from invoke.exceptions import Exit, ParseError
from invoke.parser import parser
from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext
from invoke.parser.parser import ParseMachine

_KEY = r"[A-Za-z_][\w./@:-]*"
_OVERRIDE = re.compile(rf"(?:\+\+?|~)?{_KEY}=|~{_KEY}\Z")
_RUNS = {"latest", "best", "baseline"}
"""Words that mean a run, however near the name of a task may be."""


_UNTOLD = {list: "=STRING", float: "=FLOAT"}
"""Values of which invoke's help says nothing, as if their flags were switches."""


class BadCommand(ParseError, Exit):
    """A command line that makes no sense: exit code 2, and a document on stdout where it asks for JSON.

    Shell completion and `Program.run` know it as the `ParseError` it is, and the latter takes the exit code
    from `Exit`, asking for it first.
    """

    def __init__(self, problem: str, hint: str, context: ParserContext | None) -> None:
        from ctexp.core.errors import UsageError

        error = UsageError(problem, hint)
        line = error.lines()[0]
        super().__init__(line, context)
        self.args = (line,)  # what is printed, as the error of the parser
        if "--json" in sys.argv and "--complete" not in sys.argv:
            from ctexp.cli.verb import emit_error

            emit_error(error.kind, error.exit_code, error.problems, error.hint)
        self.message = None  # and not once more, as the message of the exit
        self._code = UsageError.exit_code


class FrontDoorContext(ParserContext):
    """A task's flags, whose help says which take values, which stand bare, and which may come again."""

    def help_for(self, flag: str) -> tuple[str, str]:
        """What stands for a flag in its task's help."""
        spelled, said = super().help_for(flag)
        arg = self.flags[flag]
        spelled += _UNTOLD.get(arg.kind, "")
        if arg.kind is list:
            said += " (may be given again)"
        return spelled, f"{said} (given bare, or by its flag)" if arg.positional else said


class FrontDoorMachine(ParseMachine):
    """Invoke's parsing, with the overrides of a task that declares an `override` list taken as they come."""

    flag: Any  # the argument whose flag came last; invoke types it as always None

    def handle(self, token: str) -> None:
        """Take an override, or a word that may be left out, unless a flag is waiting for its value."""
        self._token = token
        taker = None if self.waiting_for_flag_value else self._taker(token)
        if taker is not None:
            taker.value = token  # a list argument appends what it is given
        elif self._no_word(token):
            self.error(f"No idea what {token!r} is!")
        else:
            if self.context is not None and token in ("--help", "-h"):
                for arg in self.context.missing_positional_args:
                    arg.value = ""  # who asks for help has no words yet
            super().handle(token)

    def see_value(self, value: str) -> None:
        """Give the flag its value; invoke lets a word where a number belongs end in a traceback."""
        try:
            super().see_value(value)
        except ValueError:
            kind = "a number" if self.flag.kind is float else "a whole number"
            raise BadCommand(
                f"--{self.flag.names[0]}: {value!r} is not {kind}", self._help(), self.context
            ) from None

    def complete_flag(self) -> None:
        """Leave a flag behind, unless it still wants its value."""
        if self.waiting_for_flag_value and not self.flag.optional:
            raise BadCommand(f"--{self.flag.names[0]}: its value is missing", self._help(), self.context)
        super().complete_flag()

    def error(self, msg: str) -> None:
        """Say what is wrong with the command line, and the nearest thing that would be right."""
        if msg.startswith("No idea what"):
            raise BadCommand(*self._unknown(self._token), self.context)
        missing = [_spelled(arg) for arg in self.context.missing_positional_args]
        if missing and "did not receive" in msg:
            said = f"no {' and no '.join(missing)} {'is' if len(missing) == 1 else 'are'} named"
            raise BadCommand(f"{self.context.name}: {said}", self._usage(), self.context)
        raise BadCommand(msg, self._help(), self.context)

    def _help(self) -> str:
        """The command that shows what would be right here."""
        return f"scripts/inv --help {self.context.name}" if self.context.name else "scripts/inv --list"

    def _usage(self) -> str:
        """The command with the bare words it takes, those that were given as they were."""
        words = [str(arg.value or _word(arg)) for arg in self.context.positional_args]
        return " ".join((f"scripts/inv {self.context.name}", *words))

    def _no_word(self, token: str) -> bool:
        """Whether it is a flag that nothing has, which invoke would take for a word that is still missing."""
        if self.context is None or not self.context.missing_positional_args or token in ("-", "--"):
            return False
        known = (self.context.flags, self.context.inverse_flags, self.initial.flags)
        flag = token.startswith("-") and not any(token in flags for flags in known)
        return flag and not self.waiting_for_flag_value

    def _unknown(self, token: str) -> tuple[str, str]:
        """The problem with a word that is nothing here, and what to do about it."""
        task = self.context.name
        if token.startswith("-"):
            return f"{token}: no such flag{f' of {task}' if task else ''}", self._flag_hint(token)
        if _OVERRIDE.match(token):
            if task is None:
                return f"{token}: an override before any task", (
                    f"name the task first: scripts/inv train {token}"
                )
            return f"{token}: {task} takes no overrides", self._help()
        if task is None:
            return f"{token}: no such task", self._task_hint(token)
        return self._bare(task, token)

    def _flag_hint(self, token: str) -> str:
        """The flag, the override or the task that was meant by a flag that is none of this task."""
        from ctexp.core.names import did_you_mean

        given = _value_of(token)
        if (self.context.name, token) == ("cross-validate", "--folds"):
            made = f"scripts/inv data-split --dataset NAME --scheme kfold --folds {given or 5}"
            return f"folds are made first: {made}"
        if token.lstrip("-") in {name for arg in self.context.positional_args for name in arg.names}:
            return self._usage()
        near = did_you_mean(token, [*self.context.flag_names(), *self.initial.flag_names()])
        key = token.lstrip("-")
        if self._override_argument() and ("." in key or (given and "did you mean" not in near)):
            return f"write {key}={given}, without dashes"
        return near or self._help()

    def _task_hint(self, token: str) -> str:
        """The tasks that a first word begins, or the one it is nearest to."""
        from ctexp.core.names import did_you_mean

        begun = sorted(name for name in self.contexts if name.startswith(token))
        if len(begun) > 1:
            return f"choose one of: {', '.join(begun)}"
        return f"did you mean {begun[0]!r}?" if begun else did_you_mean(token, self.contexts) or self._help()

    def _bare(self, task: str, token: str) -> tuple[str, str]:
        """What to say of a word that follows a task: a task misspelt, or a value without its flag."""
        from ctexp.core.names import did_you_mean

        near = did_you_mean(token, self.contexts)
        if near.startswith("did you mean") and token not in _RUNS:
            return f"{token}: no such task", near
        alone = f"{token!r} stands alone"
        if self._override_argument():
            return f"{alone}: {task} takes overrides and flags", f"write KEY=VALUE; {self._help()}"
        if taken := self.context.positional_args:
            names = " and ".join(_word(arg) for arg in taken)
            return f"{alone}: {task} takes {'one ' if len(taken) == 1 else ''}{names}", self._help()
        free = [flag for flag, arg in self.context.flags.items() if _wants_value(arg)]
        if not free:
            return f"{alone}: nothing here takes a value", self._help()
        return f"{alone}: {task} takes flags", f"write {free[0]} {token}"

    def _taker(self, token: str) -> Argument | None:
        """The argument a bare word is for, where invoke knows of none."""
        if _OVERRIDE.match(token) and (overrides := self._override_argument()) is not None:
            return overrides
        if self.context is None or token.startswith("-") or token in self.contexts:
            return None
        # Invoke takes a positional argument that has a default for given.
        left_out = [
            arg for arg in self.context.positional_args if arg.value is not None and not arg.got_value
        ]
        return left_out[0] if left_out else None

    def _override_argument(self) -> Argument | None:
        """Where the current task keeps its overrides, if it takes any."""
        argument = self.context.args.get("override")
        return argument if argument is not None and argument.kind is list else None


def _word(arg: Argument) -> str:
    """What stands for a bare word in a command: an experiment's id is an ID."""
    return re.split(r"[-_]", str(arg.names[0]))[-1].upper()


def _spelled(arg: Argument) -> str:
    """What a bare word is called in a sentence; of a letter its help knows it."""
    word = _word(arg).lower()
    return str(arg.help).partition(":")[0].removeprefix("the ") if len(word) == 1 and arg.help else word


def _wants_value(arg: Argument) -> bool:
    """Whether a flag's value can still be given."""
    return arg.takes_value and (arg.kind is list or not arg.got_value)


def _value_of(flag: str) -> str:
    """What was typed after a flag, as `--flag=value` or `--flag value`; the parser does not say it."""
    for word, following in zip(sys.argv, [*sys.argv[1:], ""], strict=True):
        if word.startswith(f"{flag}="):
            return word.partition("=")[2]
        if word == flag and not following.startswith("-"):
            return following
    return ""


# The states belong to the class that declared them: invoke's state machines do not inherit them.
FrontDoorMachine._class_states = ParseMachine._class_states
FrontDoorMachine._class_transitions = ParseMachine._class_transitions


def install() -> None:
    """Make the running `inv` parse and explain as this module does, and keep bytecode as Python elsewhere."""
    parser.ParseMachine = FrontDoorMachine  # type: ignore[misc]
    collection.ParserContext = FrontDoorContext  # type: ignore[attr-defined]
    # Invoke switches bytecode off for the sake of tasks.py alone; our own modules are worth keeping compiled.
    sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)
