"""The plan file: its schema, how it is read, and the jobs it stands for."""
