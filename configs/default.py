"""The paper's values for CUB at 128x128, which are every field's default: see tf_layered_gan/config/fields.py.

Not a run of its own: it has no photos. The other files here change what differs.
"""

from tf_layered_gan.config import default_config


def get_config():
    return default_config()
