"""Tool use: answer and act by tool calls against a seeded database."""
