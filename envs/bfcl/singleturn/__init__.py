"""BFCL's single-turn categories: one request, the calls that it needs or none at all."""
