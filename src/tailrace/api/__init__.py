"""The Python API: tables and expressions that are bound to the same plan as SQL."""
