"""`mocdeck`: the console script's entry, and what `python -m backend.cli` runs."""

from __future__ import annotations

from backend.cli.root import cli


def main() -> None:
    """Run the command line of this process; does not return."""
    cli.main()


if __name__ == "__main__":
    main()
