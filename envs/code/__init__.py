"""Programs for stdin/stdout tasks: written, tried on examples, revised, judged on hidden tests."""
