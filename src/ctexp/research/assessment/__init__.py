"""What an experiment's figures amount to, by rule.

content      verdicts, confidence, recommendation: the words
criteria     one metric against its thresholds
confidence   how far the figures carry
assess       puts it together
"""

from ctexp.research.assessment.assess import assess
from ctexp.research.assessment.content import (
    Assessment,
    Confidence,
    Judged,
    Recommendation,
    Status,
    Verdict,
)

__all__ = ["Assessment", "Confidence", "Judged", "Recommendation", "Status", "Verdict", "assess"]
