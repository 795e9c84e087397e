"""`palestra/Fuzz-v0`: find an input that takes a program to one of its branches."""
