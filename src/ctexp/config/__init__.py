"""Configuration: YAML files and overrides in, one validated `Settings` out, every error at once."""
