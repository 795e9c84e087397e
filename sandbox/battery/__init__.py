"""Attempts to get out of a sandbox, or at what it must not see: each is an item, and says what came through.

The items run inside (`network`, `processes`, `system`, `kernel`) and need the standard library only. The
host's side (`host`) sets out what they go for, runs them and reads what they found. The canary and the
conformance suite are both made of them, so what a backend claims is what its tests try.
"""
