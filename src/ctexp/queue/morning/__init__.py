"""The morning after: what a night has shown, for a tired person and for programs.

documents   `night.json`
jobs        what became of each job, and of the whole
outcome     the exit code, and what is taken up again
evidence    what the finished runs of an experiment have to say
criteria    met, not met, undecided or not tested, for all hypotheses of a plan together
improvements  better than the baseline or not, corrected together
searches    what sweeps have found, and what that does not say
hypotheses  each with its evidence, in the plan's order
insight     what follows from that, and what to do next
report      puts it together, from journal, orders, the plan's copy and run directories alone
text        foreign text that cannot become markup
page        `night.md`
log         the same in `research/LOG.md`
told        the same on the screen
notify      a command or a webhook that is told
bounded     a child process that is not waited for longer than that
tracker     runs of an online tracker that have not arrived there
schema      the published schema
"""
