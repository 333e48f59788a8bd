"""The rules. Each looks at one thing, and says what it found with its figures, or that nobody can tell.

The thresholds and what they rest on stand at each rule, and in docs/monitor.md.
"""
