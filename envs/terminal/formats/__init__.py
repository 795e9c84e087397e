"""Tasks of others for terminals, as folders: read, written, and judged by the tests that they bring."""
