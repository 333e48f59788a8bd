"""Every number of the findings, held against where it came from.

report      what was looked at and what differs
records     figures worked out again, artifacts hashed
generated   generated files held against what records give
pages       marks, histories, and every number that a page cites
check       puts it together
"""

from ctexp.research.findings.checking.check import check
from ctexp.research.findings.checking.report import Line, Report

__all__ = ["Line", "Report", "check"]
