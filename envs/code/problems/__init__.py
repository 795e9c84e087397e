"""Problems drawn from archetypes: statement, two references, inputs, tests, each made from the same choices."""
