"""From a plan to a script: bash that a careful person would have written, and can read."""
