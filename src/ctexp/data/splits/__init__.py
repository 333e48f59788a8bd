"""How a data set is divided: the schemes, and the small text files that keep what was made."""
