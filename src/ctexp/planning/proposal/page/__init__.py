"""NAME.md: a proposed plan for people to read, who may never have heard of ctexp.

document      the page: what it is, and its five sections
summary       1: what the night is for, what is known and what is not, what is tried and why in this order
experiments   2: each experiment: hypothesis, what it changes, how long it takes, when its hypothesis holds
script        3: the commands of an evening and a morning, and that of every job
resources     4: hours, memory, disk, when the night will be over
afterwards    5: what is compared by which test, how a result reads, what to do then
"""

from ctexp.planning.proposal.page.document import page

__all__ = ["page"]
