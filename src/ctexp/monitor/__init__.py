"""What looks wrong with runs: rules over their records, live or years later, with evidence and advice.

`seen` reads a run once; `rules/` are pure functions of what was read; `judge` asks them all. A rule speaks
where its figures leave little doubt, and says which figures: a monitor that cries wolf is switched off.
"""
