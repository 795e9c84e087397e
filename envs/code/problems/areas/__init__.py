"""One module an area: archetypes of problems, each a function of choices."""
