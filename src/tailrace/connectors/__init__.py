"""Connectors: one file for each system, all behind the contracts of `base`."""
