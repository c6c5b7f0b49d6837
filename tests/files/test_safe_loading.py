"""A check that the source code neither loads code from files nor runs text as code."""

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parents[2]
SOURCES = sorted(
    path
    for name in ("tf_layered_gan", "configs", "export", "edge_segmenter", "benchmarks")
    for path in ROOT.glob(f"{name}/**/*.py")
)

MODULES = {"pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "runpy", "imp"}
BUILTINS = {"eval", "exec", "compile", "__import__"}
FUNCTIONS = {
    "models.load_model",
    "saving.load_model",
    "keras.load_model",
    "config.enable_unsafe_deserialization",
    "torch.load",
    "yaml.load",
    "os.system",
    "os.popen",
    "importlib.import_module",
    "util.spec_from_file_location",
}
# Files of these formats are programs. They may be read only if the user names the file and is warned.
PROGRAMS = {
    "saved_model.load": {
        "tf_layered_gan/labelling/any_segmenter.py",
        "export/verify.py",
    },  # verify.py reads only its own export
    "jit.load": {"tf_layered_gan/evaluation/metrics/inception_weights.py", "benchmarks/compare_inception.py"},
}
# The unpickler in this file refuses all classes except those of tensors.
RESTRICTED = {"pickle": "tf_layered_gan/files/pth.py"}
ALLOWED_VALUES = {"allow_pickle": False, "shell": False, "safe_mode": True, "weights_only": True}


def dotted(node):
    """Returns the dotted name of a called function, or "" if it has none."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def names(node):
    """Returns the dotted names that a node imports or calls."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return [dotted(node.func)] if isinstance(node, ast.Call) else []


def offences(source, path):
    """Yields a message for each forbidden import or call in a source file."""
    for node in ast.walk(ast.parse(source)):
        for name in names(node):
            end = ".".join(name.split(".")[-2:])
            imported = not isinstance(node, ast.Call)
            module = imported and name.split(".")[0] in MODULES and path != RESTRICTED.get(name)
            if module or name in BUILTINS or end in FUNCTIONS:
                yield name
            if path not in PROGRAMS.get(end, {path}):
                yield name
        for keyword in node.keywords if isinstance(node, ast.Call) else ():
            if keyword.arg in ALLOWED_VALUES and ast.unparse(keyword.value) != str(ALLOWED_VALUES[keyword.arg]):
                yield f"{keyword.arg}={ast.unparse(keyword.value)}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_loads_code(path):
    assert list(offences(path.read_text(), str(path.relative_to(ROOT)))) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import numpy as np\nnp.load('a.npy', allow_pickle=True)",
        "np.load('a.npy', allow_pickle=flag)",
        "keras.models.load_model('a.keras')",
        "from keras.models import load_model",
        "tf.keras.models.load_model('a.keras', safe_mode=False)",
        "eval('1')",
        "exec(text)",
        "tf.saved_model.load('a')",
        "torch.load('a.pt')",
        "torch.jit.load('a.pt')",
        "subprocess.run('a', shell=True)",
        "__import__(name)",
    ],
)
def test_code_that_loads_code_is_found(source):
    assert list(offences(source, "tf_layered_gan/train.py"))


def test_all_sources_are_read():
    assert len(SOURCES) > 50
    assert {path.parts[-2] for path in SOURCES} >= {"edge_segmenter", "data", "networks", "configs"}
