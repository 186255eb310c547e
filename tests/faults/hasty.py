"""`python -m tests.faults.hasty COMMAND`: Sluice, but for its patience with slow bodies, which is a second."""

from graph import body
from sluice.cli import main

WINDOW_SECONDS = body.WINDOW_SECONDS = 1.0

if __name__ == "__main__":
    main()
