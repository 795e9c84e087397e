"""The gate: machine-made evidence that a task is solvable, fair, the same everywhere and hard to cheat.

`certify` looks at one task and returns its `Certificate`; `check` looks at an environment. Nothing here trusts
a family's word: oracles are replayed, cheats are carried out, and what a family declares is counted.
"""
