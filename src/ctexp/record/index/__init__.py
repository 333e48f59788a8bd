"""All runs at a glance: the index that lists, filters and sorts them without reading every directory.

    with Index(runs) as index:
        best = index.select(Query(states=["finished"], sort="val/macro_f1", descending=True, limit=1))

The directories are the truth. `runs/index.sqlite` is a cache: brought up to date whenever an index is opened
(`refresh`), believed only where nobody else wrote to it (`cache_file`), made anew where it is missing, and
free to be deleted at any time. Where it cannot be used, because somebody else is at it, the folder cannot be
written or the disk is full, the directories are read into memory and the answers are the same.
"""

from ctexp.record.index.opened import Index
from ctexp.record.index.query import Query
from ctexp.record.index.shortcuts import at_once, count, list_runs, looks, select
from ctexp.record.index.summary import RunSummary, summarise

__all__ = ["Index", "Query", "RunSummary", "at_once", "count", "list_runs", "looks", "select", "summarise"]
