"""A small typed language: what references are written in once, and printed from in many languages."""
