"""Rewrites of a plan, one pass a file; each gives a plan with the same rows."""

from tailrace.plan.rewrite.optimize import optimize

__all__ = ["optimize"]
