"""Where submitted files lie: one class per kind of store. A new kind is one file here and one line below."""

from settings import Settings
from tasks.storage.local import LocalStore

Store = LocalStore
"""The union of all stores; there is one kind so far."""


def open_store(settings: Settings) -> Store:
    """The store that the settings name."""
    return LocalStore(settings.files_dir)


__all__ = ["LocalStore", "Store", "open_store"]
