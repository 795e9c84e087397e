"""One module an area or a part of one: archetypes of problems, each a class that is made of choices."""
