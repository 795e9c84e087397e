"""Where code runs: one protocol, several backends."""
