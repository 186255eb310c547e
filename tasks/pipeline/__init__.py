"""The pure core: from the bytes of a file to batches that are ready to load. No database, queue or event loop."""
