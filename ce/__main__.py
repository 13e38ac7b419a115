"""`python -m ce`: the same entry as the installed `ce`, and nothing more."""

import sys

if __name__ == "__main__" and not sys.flags.safe_path:
    del sys.path[0]  # the folder one stands in, which -m puts first: nothing of ours is there

from ce.cli import main

if __name__ == "__main__":
    main()
