"""How the packages of an extra of pyproject.toml get into the project's environment: one command for all."""


def install(*extras: str) -> str:
    """The command, for the end of an error's line.

    Args:
        extras: as pyproject.toml names them: `mlflow`, `ray`.
    """
    return f"scripts/inv --extra {' '.join(extras)}"
