"""How lxml is asked to parse what strangers send: nothing is fetched, expanded or without bounds. The one place for it."""

from typing import Any, Final

HARDENED: Final[dict[str, Any]] = {
    "encoding": "utf-8",  # whatever the file's: it was decoded before
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "huge_tree": False,
    "remove_comments": True,
    "collect_ids": False,
}
