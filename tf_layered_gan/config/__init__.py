"""A run's settings."""

from tf_layered_gan.config.derived import pass_steps
from tf_layered_gan.config.fields import FIELDS, Field, default_config, resolve_paths
from tf_layered_gan.config.validation import validate

__all__ = ["FIELDS", "Field", "default_config", "pass_steps", "resolve_paths", "validate"]
