"""`python -m retrolog` is the `retrolog` command."""

from .pipeline.cli import main

if __name__ == "__main__":
    main()
