"""Questions in words over small databases, answered by one SQL query that is judged on databases nobody has seen."""
