"""`queue base KEY`: the overrides of the experiment a job begins with, each followed by NUL."""

import sys
from collections.abc import Sequence

from ctexp.core.errors import DataError, UsageError
from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import Journal
from ctexp.queue.orders import Orders
from ctexp.queue.state import fold


def main(words: Sequence[str]) -> int:
    """Print them.

    Raises:
        DataError: the base has not been decided.
    """
    if len(words) != 1:
        raise UsageError("queue base KEY")
    queue = QueueDir.here()
    orders = Orders.read(queue.orders)
    night = fold(orders, Journal(queue.journal).read())
    experiment = orders.job(words[0].partition(":")[0]).experiment
    decided = night.decisions.get(("base", experiment))
    if decided is None or decided["winner"] is None:
        raise DataError(f"{queue.journal}: what {experiment} begins with is not decided")
    sys.stdout.write("".join(f"{word}\0" for word in decided["words"]))
    return 0
