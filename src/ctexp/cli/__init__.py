"""The verbs: one file a family, each parsing, calling, printing and setting the exit code; nothing more."""
