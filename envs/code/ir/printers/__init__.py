"""Programs of the language of references, written in others."""
