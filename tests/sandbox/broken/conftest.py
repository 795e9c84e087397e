"""Nothing in here is a test: `test_broken_backends` runs it in a pytest of its own."""

collect_ignore_glob = ["*.py"]
