"""`python -m sluice`, for places without the installed command, such as the container image."""

from sluice.cli import main

if __name__ == "__main__":
    main()
