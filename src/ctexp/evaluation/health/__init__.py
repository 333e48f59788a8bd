"""Is a training getting anywhere? Rules over its history, with the figures they rest on.

`rules` look at the rows of `history.csv` and nothing else, so that they judge a run while it trains and years
later alike. `monitor` follows a training and speaks once when something begins and once when it has passed.
"""
