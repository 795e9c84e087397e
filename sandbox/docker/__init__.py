"""The docker backend: a warm container a sandbox, served from inside by a keeper."""
