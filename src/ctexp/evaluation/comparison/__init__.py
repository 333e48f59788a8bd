"""Which of two experiments is better: on the same images, with every source of chance in the account.

    exact        McNemar's test and Holm's correction
    delong       the areas under two ROC curves of the same images
    answered     what one network said, as the statistics need it
    sums         what adds up over groups of images, and the metrics of that
    rankings     areas under ROC and precision-recall curves of many weightings at once
    resampling   every metric under many resamples of the images
    swapping     what the difference would be if the two sides' answers were exchanged
    effect       one metric's difference, its error from images and from seeds, and its p-value
    pairing      two experiments, metric by metric
    needed       how many images or seeds would decide a difference
    verdict      all pairs together: better, worse, undecided

`pair` compares one candidate with a baseline, `judge` corrects for everything compared at once and calls it.
"""

from ctexp.evaluation.comparison.delong import delong
from ctexp.evaluation.comparison.exact import holm, mcnemar
from ctexp.evaluation.comparison.needed import Needed, needed
from ctexp.evaluation.comparison.pairing import Pair, pair
from ctexp.evaluation.comparison.verdict import Judged, Verdict, judge

__all__ = [
    "Judged",
    "Needed",
    "Pair",
    "Verdict",
    "delong",
    "holm",
    "judge",
    "mcnemar",
    "needed",
    "pair",
]
