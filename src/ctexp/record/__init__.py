"""The record: run directories, what they hold, and how they are found, listed and shown.

A run directory is made by `run_dir`, described by `manifest` (with `git` and `environment`), filled in the
order that `writing` keeps, and ended by `result`. `index`, `find` and `show` only read run
directories. Nothing here imports torch, and no listing needs it.
"""
