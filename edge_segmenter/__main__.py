"""Runs the command as `python -m edge_segmenter`."""

import sys

from .command.main import main

sys.exit(main())
