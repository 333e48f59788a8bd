r"""A line between a training and whoever watches its epochs: it tells, and is told whether to go on.

The watcher makes a pair of sockets, passes one end on and names it in `CTEXP_REFEREE` as `<descriptor>
<metric>`. The training writes JSON lines: `{"run": id}` when its record is there, `{"epoch": n, "value": v}`
after each epoch, and for each of these it reads one byte: `+` to go on, `-` to stop. A watcher that is gone
stops nobody.
"""

VARIABLE = "CTEXP_REFEREE"
"""Environment variable: the descriptor of the training's end, and the metric that is told."""
