"""Programming languages, one YAML file each, and what is known of them."""
