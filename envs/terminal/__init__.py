"""Shell tasks: a machine to work on, and what must be true of it in the end."""
