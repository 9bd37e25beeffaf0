"""Built-in rovers, one TOML file each."""
