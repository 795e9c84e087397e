"""Operators that change a case - its request, its tools, what they reply - and prove that its oracle survives."""
