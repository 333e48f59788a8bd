"""Everything that is wrong with a plan, before anything of it is begun; torch is never loaded.

checked       what a check hands on
findings      problems and warnings with their places in the file
references    ids that name other experiments: unknown ones, circles
words         overrides that a plan cannot take, or that would have no effect
composition   every job's configuration, also after a failure and on every possible base
images        the images of every distinct selection: there, how many, leaking
likeness      jobs that differ in nothing, and experiments that differ from the baseline in several things
criteria      criteria, gates and the target: can anything in this plan decide them?
power         what so many images and seeds can show
check         all of it
"""
