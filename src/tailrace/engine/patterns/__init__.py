"""Matching of patterns: the automaton, its conditions, what is kept by partition, and what matches give."""
