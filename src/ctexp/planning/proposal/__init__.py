"""A plan proposed: from what was found and what is believed, to a file that a night can be run by.

documents     what is wished for, what a proposal is, why each part of it is there
wishes        what the user typed, understood
nights        what kind of night is needed
ground        the recipe that changes are made to, the words all jobs share, the images
lengths       how long trainings will take that are only thought of
seeds         how many seeds, and how large a gain they decide
candidates    which changes, ranked, and why each other one is not
considering   all of the above, before any of it is put into a night
filling       what the window has room for
sharing       what the experiments of a night share
stages        the experiments: smoke, baseline, coarse, confirmation
assembling    a night put together of them, and what it takes for granted
follows       what the newest night said, and what comes of it
writing       the plan's file
rereading     what a check says of it before it is there
propose       all of it: considered, filled, written, checked, put into its window
page          the document beside the plan, for people
written       where both are put
confirming    the night after a sweep, which is another kind of proposal
wording       words and figures of all these
"""
