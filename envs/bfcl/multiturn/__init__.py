"""BFCL's multi-turn categories: a user with several requests, and simulated services that keep state."""
