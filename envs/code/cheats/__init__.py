"""Programs that cheat, by language and name; one name means the same trick in every language that has it."""
