"""The paper's values for CUB at 128x128.

These values are the defaults of all fields, see tf_layered_gan/config/fields.py. This config has no photos and cannot
be run. The other configs change some of these values.
"""

from tf_layered_gan.config import default_config


def get_config():
    return default_config()
