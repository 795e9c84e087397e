"""Problems of others as tasks of Code-v0: everything in them is checked, and what is wrong is named by its place."""
