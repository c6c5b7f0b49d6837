from tf_layered_gan import onednn  # noqa: F401
