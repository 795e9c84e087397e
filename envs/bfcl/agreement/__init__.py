"""How far our judgement and that of the package's own checkers agree; nothing here judges an episode."""
