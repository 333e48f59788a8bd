"""From hypotheses to findings: a plan of experiments, their handlers, what came of them, what it means.

`research/research_plan.yaml` says what is asked and when it is answered. A handler answers one part of it
with trainings and comparisons; its record keeps every figure with where it came from. Assessments, gates and
recommendations are computed from records and never written by anybody.
"""
