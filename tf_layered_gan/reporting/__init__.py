from tf_layered_gan import startup  # noqa: F401
