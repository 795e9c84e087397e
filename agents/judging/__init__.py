"""Judges of steps that ask a model, and what they are worth on preferences whose labels are exact."""
