"""One HTML page about a sweep: what was found and how sure it is, then every trial."""
