"""Tasks of the Berkeley Function Calling Leaderboard, read from the `bfcl-eval` package where it is installed."""
