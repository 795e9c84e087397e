"""Judges programs in any language by what they do: compiled once, run on each test in a fresh sandbox."""
