"""Tests of how the page fits an image into the model's square. The page's modules run in Node, without a browser."""

import json
import shutil
import subprocess

import numpy as np
import pytest
from discs import pixel_network
from PIL import Image
from tiny import ROOT

from edge_segmenter.fit import FITS, foreground_probability, to_square
from export.documentation.metadata import add_metadata
from export.tflite.convert import to_tflite_float32

RESOLUTION = 16
PROGRAM = """
import { readFileSync } from "node:fs";
import { readFit } from "./facts.js";
import { foregroundProbability, toSquare } from "./segmenter.js";

const [task, model, width, height] = JSON.parse(process.argv[1]);
const fit = readFit(new Uint8Array(readFileSync(model)));
const image = { data: new Uint8Array(readFileSync(0)), width, height };
const predict = async (pixels) => Float32Array.from({ length: pixels.length / 3 }, (_, i) => pixels[3 * i] / 255);
const results = {
  fit: () => [fit],
  square: () => [...toSquare(image, 16, fit).pixels],
  probability: async () => [...(await foregroundProbability(image, { resolution: 16, fit, predict }))],
};
console.log(JSON.stringify(await results[task]()));
"""


def run(task, model, size=(0, 0), pixels=b""):
    if not shutil.which("node"):
        pytest.skip("there is no node")
    command = ["node", "--input-type=module", "-e", PROGRAM, json.dumps([task, str(model), *size])]
    result = subprocess.run(command, cwd=ROOT / "export/web", input=pixels, capture_output=True, timeout=60)
    assert result.returncode == 0, result.stderr.decode()
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def plain():
    """A converted .tflite file that has no metadata."""
    return to_tflite_float32(pixel_network([1.0, 0.0, 0.0]))


@pytest.fixture
def write(plain, tmp_path):
    """Returns a function that writes a model with the given facts in its metadata."""

    def write(facts):
        path = tmp_path / "model.tflite"
        path.write_bytes(plain if facts is None else add_metadata(plain, facts))
        return path

    return write


@pytest.mark.parametrize("fit", FITS)
def test_the_file_says_the_fit(write, fit):
    model = write({"training": {"data": "a folder of photos – é", "fit": fit}})
    assert run("fit", model) == ["squeeze" if fit == "squeeze" else "pad"]


@pytest.mark.parametrize("facts", [None, {"training": {"data": "a folder"}}, {}])
def test_a_file_that_does_not_say_it_pads(write, facts):
    assert run("fit", write(facts)) == ["pad"]


def test_an_unknown_fit_is_an_error(write):
    with pytest.raises(AssertionError, match='its fit is "stretch", allowed: crop, squeeze, pad'):
        run("fit", write({"training": {"fit": "stretch"}}))


@pytest.mark.parametrize("fit", ["squeeze", "pad"])
@pytest.mark.parametrize("size", [(40, 30), (30, 40), (7, 5), (100, 3)])
def test_square_and_probability_are_those_of_the_edge_package(write, fit, size):
    model = write({"training": {"fit": fit}})
    pixels = np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), np.uint8)
    image, opaque = Image.fromarray(pixels), np.dstack([pixels, np.full(size[::-1], 255, np.uint8)]).tobytes()
    square, _ = to_square(image, RESOLUTION, fit)
    np.testing.assert_array_equal(run("square", model, size, opaque), square.ravel())
    expected = foreground_probability(image, RESOLUTION, lambda x: x[..., 0] / np.float32(255), fit)
    found = run("probability", model, size, opaque)
    np.testing.assert_allclose(found, expected.ravel(), atol=1e-6)
