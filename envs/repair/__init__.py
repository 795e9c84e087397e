"""Programs with a fault in them, to be found and mended by edits."""
