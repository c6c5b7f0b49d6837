"""Reads the imports, so that the house keeps its floors: a module imports from lower floors only."""

import ast
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PACKAGE = "tf_layered_gan"
EDGE = ROOT / "edge_segmenter"

# From the ground up. Within a room, modules import one another.
FLOORS = [
    {"command_line", "files"},
    {"config"},
    {"data"},
    {"models"},
    {"evaluation"},
    {"runs"},
    {"training"},
    {"train", "evaluate", "synthesize"},
    {"distill"},
    {"main", "paper"},
]
FLOOR_OF = {name: floor for floor, names in enumerate(FLOORS) for name in names}
SEE_A_CONFIG = {"main", "train", "evaluate", "synthesize", "distill", "config", "training", "paper"}
SEE_A_CONFIG |= {"data/sources", "models/build", "models/memory", "models/sampling", "evaluation/gan_figures"}
SEE_A_CONFIG |= {"runs/config_record", "runs/report", "runs/restarts", "runs/restore"}


def files(folder):
    return sorted(path for path in (ROOT / folder).rglob("*.py") if path.name != "__init__.py")


def part(path):
    """The module or package directly below tf_layered_gan that a file belongs to."""
    return path.relative_to(ROOT / PACKAGE).parts[0].removesuffix(".py")


def place(path):
    """The module below tf_layered_gan, as in "models/build"."""
    return path.relative_to(ROOT / PACKAGE).with_suffix("").as_posix()


def imports(path):
    """The dotted names that a file imports, wherever in it; `from a import b` counts as a.b.

    Relative imports are left out. Only export and edge_segmenter have them, as both have another name once installed.
    """
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            assert path.relative_to(ROOT).parts[0] in ("export", "edge_segmenter"), f"{path}: relative import"
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def roots(path):
    return {name.split(".")[0] for name in imports(path)}


def outside(path):
    """The packages that a file imports, but for the standard library."""
    return roots(path) - set(sys.stdlib_module_names)


def ids(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", files(PACKAGE), ids=ids)
def test_imports_go_down(path):
    assert part(path) in FLOOR_OF, f"{path} has no floor yet: name it in FLOORS"
    for name in imports(path):
        package, *rest = name.split(".")
        if package == PACKAGE and rest[0] != part(path):
            assert FLOOR_OF[rest[0]] < FLOOR_OF[part(path)], f"{path} imports {name}"


@pytest.mark.parametrize("path", files(PACKAGE), ids=ids)
def test_the_package_knows_nothing_of_what_uses_it(path):
    assert not roots(path) & {"export", "configs", "benchmarks", "tests"}


MODELS = ROOT / PACKAGE / "models"


@pytest.mark.parametrize(
    "path", [*files(MODELS / "networks"), MODELS / "losses.py", MODELS / "composition.py"], ids=ids
)
def test_networks_losses_and_composition_run_on_any_backend_of_keras(path):
    assert outside(path) <= {"keras", PACKAGE}
    below = {name for name in imports(path) if name.startswith(PACKAGE)}
    assert all(name.startswith(f"{PACKAGE}.models.networks") for name in below)
    assert not any(name.startswith(("keras.src", "keras.backend")) for name in imports(path))


@pytest.mark.parametrize("path", files(EDGE), ids=ids)
def test_the_edge_runs_without_tensorflow(path):
    extra = {"cv2"} if path.name == "video.py" else set()
    assert outside(path) <= {"numpy", "PIL", "ai_edge_litert"} | extra


@pytest.mark.parametrize("path", files("configs"), ids=ids)
def test_configs_are_data(path):
    assert set(imports(path)) == {"tf_layered_gan.config.default_config"}


@pytest.mark.parametrize("path", [p for p in files(PACKAGE) if not SEE_A_CONFIG & {part(p), place(p)}], ids=ids)
def test_only_the_top_floors_see_a_config(path):
    names = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
    arguments = {node.arg for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.arg)}
    assert "config" not in names | arguments
    assert "ml_collections" not in roots(path)
