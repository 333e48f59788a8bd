"""Which trials a sweep has, and who is at work on which: shared by all its agents, in a database.

What Optuna 5.0 does about claims and dead workers, as its source has it, and why this room does otherwise:

- `Study.ask` takes a waiting trial by reading its state and then setting it, "with_for_update". SQLite has no
  such clause, and Python's driver begins a transaction only at the first write: two processes read WAITING,
  both write RUNNING, and both believe the trial theirs. Of three times 60 waiting trials, four processes took
  45 more than once. Hence everything that decides who has a trial happens here under one lock of all agents,
  `locking.py`.
- Heartbeats are recorded by `Study.optimize` alone, in a thread; `ask` warns and records none, and a trial
  without any is never stale. `fail_stale_trials` fails every stale one, whether its training lives or not.
  The retry callback adds a new trial with a new number: a grid sampler takes it for a cell that it has had, a
  rung counts it beside the failed one, and Hyperband puts it into another bracket. Here a trial stays one
  trial: who goes on with it raises its attempt, and what an earlier attempt still says is refused.
- A sampler writes each parameter before it draws the next, so that a process killed meanwhile leaves half a
  trial. Here a draw is made in memory and becomes a trial in one transaction.
"""
