"""Every change of the tables, written by `make migration NAME=…` and run by `sluice migrate`."""
