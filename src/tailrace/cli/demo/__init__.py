"""The demo: its scripts, and how they are shown."""
