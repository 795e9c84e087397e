"""The operators that shell tasks are composed of, a module for what belongs together."""
