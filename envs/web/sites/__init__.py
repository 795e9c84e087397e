"""Sites, one a module: state machines of data, pages and commands (see `palestra.envs.web.site`)."""
