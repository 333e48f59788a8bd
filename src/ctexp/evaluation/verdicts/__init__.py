"""What a comparison means: met or missed, promote, iterate or abandon, each with its evidence.

images      the same images for all, or a refusal
configs     in what two experiments were set up differently, and whether it had any effect
changes     which classes and which images went from right to wrong and back
costs       what each took to train, and takes to use
records     whether a run can be made again, and has all its files
target      what runs are for, by the interval
gates       what a new baseline must be
documents   the whole as a document
compare     puts it together
promotion   makes a candidate the baseline
"""
