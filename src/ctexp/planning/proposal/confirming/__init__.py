"""The night after a sweep: what it has established, and what only fresh seeds can.

found    what the sweep says, and what it does not
finer    whether looking closer would follow more than chance
night    the plan: the best against what all trials began with, and a finer sweep where it pays
page     the document beside the plan
written  where all of it is put
"""
