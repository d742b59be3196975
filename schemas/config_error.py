"""The error of configs, apart from their models: commands that read no config need not import pydantic."""


class ConfigError(ValueError):
    """A config cannot be used. The message names each field, its value and the remedy."""
