"""Shell tasks that a language model writes: described, built, given checks, attempted; all checked by machine."""
