"""The binder: from the syntax tree to typed expressions and plan nodes."""
