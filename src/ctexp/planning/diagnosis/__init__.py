"""What keeps the project from being better, named with its evidence; or that nobody can tell yet."""
