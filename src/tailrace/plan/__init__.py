"""Logical plans: tables, nodes, rewrite passes and how a plan is shown."""
