"""The web family: sites that are state machines, shown by a simulator or by a real browser."""
