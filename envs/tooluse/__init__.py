"""Tool use: relational worlds behind typed tools, and tasks whose augmentations keep the oracle."""
