"""`python -m ce`: the same entry as the installed `ce`, and nothing more."""

from ce.cli import main

if __name__ == "__main__":
    main()
