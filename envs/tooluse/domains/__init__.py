"""One domain a module: nothing but what its tables, tools, policies and words are."""
