"""A plan proposed: from what was found and what is believed, to a file that a night can be run by.

documents     what a proposal is: the plan, and why each part of it is there
"""
