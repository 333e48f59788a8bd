"""The programs that answer the parts of experiments: found, loaded, and their one function taken out."""
