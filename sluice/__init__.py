"""The command that people type: it starts, feeds and watches the rest."""
