"""Pictures of parts: shaded views with their edges and lengths, made of NumPy alone, the same bytes for the same part.

`parts` reads a shape, and needs the kernel; the others need NumPy only.
"""
