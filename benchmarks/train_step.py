"""Compares the speed of the GAN's training step with that of the same step in PyTorch, on the CPU.

    python3.11 -m venv .venv-torch
    .venv-torch/bin/pip install -r benchmarks/torch_step/requirements.txt
    python -m benchmarks.train_step --torch_python=.venv-torch/bin/python

A row is a resolution, a width of G_b, G_f and D, and a round. From round 2 on, the background loss applies, through a
U-Net of width 8. Everything else has the paper's settings (batches of 32, float32). A step updates G_b and G_f, takes a
step of power iteration, updates D, E_x and E_pi, and averages the generators. The batch is in memory: reading photos
and drawing codes do not count.

Both sides start with the same weights. Before the timing, the reports of the first steps are compared (--tolerance):
the loss terms and the norms of the gradients. Each side has its own process, and the processes take turns, so other
work on the machine slows all of them equally. The last figures of a row are shares of the speed of a large matrix
product, the faster of the two libraries', measured in the same turns.
"""

import dataclasses
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence

from absl import flags

from benchmarks.turns import Worker
from tf_layered_gan.command_line import run_command
