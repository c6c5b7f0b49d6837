"""Tests of the code in the guides. The code is run, compiled or parsed, depending on the installed compilers."""

import shutil
import subprocess
import sys
from pathlib import Path

import ai_edge_litert
import guides
import numpy as np
import pytest
import tree_sitter
import tree_sitter_swift
from ai_edge_litert.interpreter import Interpreter
from PIL import Image
from tiny import ROOT

from edge_segmenter.fit import to_square

WIDTH, HEIGHT = 20, 12
LIBRARY = Path(ai_edge_litert.__path__[0], "libLiteRt.so")


@pytest.fixture(scope="module", params=[("float32", "pad"), ("int8", "pad"), ("float32", "squeeze")], ids="-".join)
def model(request, tmp_path_factory):
    path, (kind, fit) = tmp_path_factory.mktemp("guides") / "model.tflite", request.param
    guides.write_model(path, integer=kind == "int8", fit=fit)
    return path


@pytest.fixture(scope="module")
def image():
    """An image of noise that is brighter on the right, uint8 [height, width, rgb]."""
    noise = np.random.default_rng(0).integers(100, size=(HEIGHT, WIDTH, 3))
    return (noise + np.linspace(0, 155, WIDTH).astype(int)[:, None]).astype(np.uint8)


@pytest.fixture(scope="module")
def expected(model, image):
    """The mask from LiteRT's interpreter, uint8 [height, width].

    This mask is dark on the left and bright on the right.
    """
    mask = Interpreter(str(model)).get_signature_runner("any_size")(picture=image[None])["mask"][0, :, :, 0]
    assert mask.shape == (HEIGHT, WIDTH) and mask[:, :4].max() < 128 <= mask[:, -4:].min()
    return mask


@pytest.fixture(scope="module")
def segment(tmp_path_factory):
    """The program of the C++ guide, compiled with the flags that the guide gives."""
    if not shutil.which("g++"):
        pytest.skip("there is no g++")
    folder = tmp_path_factory.mktemp("cpp")
    (folder / "segment.cc").write_text(guides.code("cpp.md", "cpp"))
    flags = ["-std=c++17", "-Wall", "-Wextra", "-Werror", "-I", ROOT / "export/cpp"]
    command = ["g++", *flags, "segment.cc", "-o", "segment", LIBRARY, f"-Wl,-rpath,{LIBRARY.parent}"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "segment"


def run(program, *arguments, **settings):
    return subprocess.run([program, *map(str, arguments)], capture_output=True, check=False, timeout=120, **settings)


@pytest.mark.parametrize("threads", [1, 2])
def test_cpp_gives_the_masks_of_python(segment, model, image, expected, threads):
    result = run(segment, model, threads, WIDTH, HEIGHT, input=2 * image.tobytes())
    assert result.returncode == 0, result.stderr
    assert result.stdout == 2 * expected.tobytes()


def test_cpp_names_its_errors(segment, tmp_path):
    assert b"usage: segment MODEL" in run(segment).stderr
    assert b"error: WIDTH and HEIGHT must be 1 or more" in run(segment, "none.tflite", 1, "640x480", 0).stderr
    result = run(segment, tmp_path / "none.tflite", 1, WIDTH, HEIGHT, input=b"")
    assert result.returncode == 1 and b"none.tflite: LiteRT status" in result.stderr


def test_cpp_refuses_an_image_that_is_too_short(segment, model):
    result = run(segment, model, 1, WIDTH, HEIGHT, input=bytes(WIDTH * HEIGHT * 3 + 7))
    assert result.returncode == 1 and b"error: an image has 7 bytes" in result.stderr
    assert len(result.stdout) == WIDTH * HEIGHT


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_cpp_names_a_full_disk(segment, model, image):
    with open("/dev/full", "wb") as full:
        command = list(map(str, (segment, model, 1, WIDTH, HEIGHT)))
        result = subprocess.run(command, input=image.tobytes(), stdout=full, stderr=subprocess.PIPE, timeout=120)
    assert result.returncode == 1 and b"error: cannot write the mask: is the disk full?" in result.stderr


def test_the_raspberry_pi_program_gives_the_mask(model, image, expected, tmp_path):
    (tmp_path / "mask.py").write_text(guides.code("raspberry_pi.md", "python"))
    Image.fromarray(image).save(tmp_path / "image.png")
    result = run(sys.executable, "mask.py", model, "image.png", "mask.png", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "mask.png")), np.where(expected >= 128, 255, 0))


@pytest.mark.parametrize("language", ["swift", "swift-usage", "swift-dependency"])
def test_swift_parses(language):
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_swift.language()))
    code = guides.code("ios.md", language)
    assert not parser.parse(code.encode()).root_node.has_error
    assert parser.parse(code.replace(")", "", 1).encode()).root_node.has_error


@pytest.fixture(scope="module", params=["float32", "int8"])
def kotlin(request, tmp_path_factory):
    """Compiles the guide's code with stubs of Android's classes.

    Returns a function that calls the compiled functions.
    """
    if not shutil.which("kotlinc"):
        pytest.skip("there is no kotlinc")
    folder = tmp_path_factory.mktemp("kotlin")
    code, read = guides.code("android.md", "kotlin"), "outputs[0].readFloat()"
    assert code.count(read) == 1
    int8 = code.replace(read, guides.code("android.md", "kotlin-int8").strip())
    (folder / "Segmenter.kt").write_text(code if request.param == "float32" else int8)
    stubs = ROOT / "tests/helpers/kotlin_stubs"
    java, sources = stubs.rglob("*.java"), [folder / "Segmenter.kt", *stubs.rglob("*.kt")]
    subprocess.run(["javac", "-d", folder / "classes", *java], check=True)
    compiled = run("kotlinc", "-include-runtime", "-cp", folder / "classes", *sources, "-d", folder / "guide.jar")
    assert compiled.returncode == 0, compiled.stderr

    def call(function, size, side, given=b""):
        path = f"{folder / 'guide.jar'}:{folder / 'classes'}"
        result = run("java", "-cp", path, "RunKt", function, *size, side, input=given)
        assert result.returncode == 0, result.stderr
        return np.frombuffer(result.stdout, np.uint8)

    return call


@pytest.mark.slow
@pytest.mark.parametrize("size", [(8, 8), (8, 5), (3, 8), (8, 1)])
def test_kotlin_fills_the_square_like_edge_segmenter_and_cuts_the_image_out_of_it(kotlin, size):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (*size[::-1], 3), np.uint8)
    expected, filled = to_square(Image.fromarray(pixels), 8, "pad")
    np.testing.assert_array_equal(kotlin("square", size, 8, pixels.tobytes()), expected.ravel())
    probability = rng.choice(np.float32([0, 0.2, 0.5, 129 / 256, 1]), (8, 8))
    alpha = kotlin("part", size, 8, probability.astype(">f4").tobytes()).reshape(size[::-1])
    assert np.abs(alpha - 255 * probability[filled]).max() <= 0.5
    np.testing.assert_array_equal(alpha >= 128, probability[filled] > 0.5)


@pytest.mark.slow
@pytest.mark.parametrize("fit", ["squeeze", "pad"])
@pytest.mark.parametrize("size", [(8, 8), (640, 480), (500, 333), (640, 427), (17, 3000), (4001, 2), (5, 4), (1, 1)])
def test_kotlin_shrinks_to_the_same_size_as_edge_segmenter(kotlin, size, fit):
    rows, columns = to_square(Image.new("RGB", size), 64, fit)[1]
    assert kotlin("squeezed" if fit == "squeeze" else "shrunk", size, 64).tolist() == [
        columns.stop - columns.start,
        rows.stop - rows.start,
    ]


@pytest.mark.parametrize(
    "page, language, signature", [("android.md", "kotlin", "serving_default"), ("ios.md", "swift", "any_size")]
)
def test_code_that_is_not_run_names_a_signature_of_the_model(page, language, signature):
    assert f'"{signature}"' in guides.code(page, language)
