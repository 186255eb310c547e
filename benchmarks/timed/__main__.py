"""The program; a package, since the reader child would import a plain module that is the main one anew."""

from benchmarks.timed import install
from sluice.cli import main

if __name__ == "__main__":
    install()
    main()
