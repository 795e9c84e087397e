"""Judges of single steps: which of several next actions is the best, and why."""
