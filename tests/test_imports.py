"""Reads the imports, so that the house keeps its floors: a module imports from lower floors only."""

import ast
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
PACKAGE = "tf_layered_gan"
EDGE = ROOT / "export" / "edge" / "edge_segmenter"

# From the ground up. A package is a floor of its own: within it, modules import one another.
FLOORS = [
    {"tables", "records", "file_lock", "cache_folder"},
    {"losses", "codes", "composition", "perturbation", "schedule", "monitoring", "learning_curve", "config_validation"},
    {"sweep"},
    {"distribution", "preemption", "workdir_lock", "workdir_links", "restarts", "time_limit"},
    {"networks", "data", "gradients", "averaging", "table_report"},
    {"metrics", "baselines", "picture_grid", "layered_gan", "segmenter", "student"},
    {"evaluation", "gan_evaluation"},
    {"builders", "report"},
    {"batches", "memory"},
    {"checkpointing"},
    {"training_loop", "synthesize"},
    {"train", "distill"},
    {"main", "experiments"},
]
FLOOR_OF = {name: floor for floor, names in enumerate(FLOORS) for name in names}
SEE_A_CONFIG = {"main", "train", "synthesize", "checkpointing", "builders", "config_validation", "sweep", "experiments"}
SEE_A_CONFIG |= {"batches", "distribution", "restarts", "training_loop", "distill", "memory"}


def files(folder):
    return sorted(path for path in (ROOT / folder).rglob("*.py") if path.name != "__init__.py")


def part(path):
    """The module or package directly below tf_layered_gan that a file belongs to."""
    return path.relative_to(ROOT / PACKAGE).parts[0].removesuffix(".py")


def imports(path):
    """The dotted names that a file imports, wherever in it; `from a import b` counts as a.b.

    Without `from .a import b`, which only the edge's package may say: its name is another where it is installed.
    """
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            assert path.parent == EDGE and node.level == 1, f"{path}: relative import"
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
    assert not roots(path) & {"export", "benchmarks", "tests"}


@pytest.mark.parametrize("path", files(PACKAGE), ids=ids)
def test_configs_are_known_where_one_is_held_against_the_default(path):
    known = {"configs.default"} if part(path) in ("checkpointing", "config_validation") else set()
    assert {name for name in imports(path) if name.split(".")[0] == "configs"} == known


@pytest.mark.parametrize("path", [*files(f"{PACKAGE}/networks"), ROOT / PACKAGE / "losses.py"], ids=ids)
def test_networks_and_losses_run_on_any_backend_of_keras(path):
    assert outside(path) <= {"keras", PACKAGE}
    below = {name for name in imports(path) if name.startswith(PACKAGE)}
    assert all(name.startswith(f"{PACKAGE}.networks") for name in below)
    assert not any(name.startswith(("keras.src", "keras.backend")) for name in imports(path))


@pytest.mark.parametrize(
    "name, allowed",
    [
        ("composition", set()),
        ("schedule", set()),
        ("config_validation", {"configs"}),
        ("records", set()),
        ("tables", set()),
        ("sweep", {"absl", "ml_collections", PACKAGE}),
        ("codes", {"tensorflow"}),
        ("perturbation", {"tensorflow"}),
    ],
)
def test_the_ground_floor_needs_little(name, allowed):
    assert outside(ROOT / PACKAGE / f"{name}.py") == allowed


@pytest.mark.parametrize("path", files(EDGE), ids=ids)
def test_the_edge_runs_without_tensorflow(path):
    extra = {"cv2"} if path.name == "video.py" else set()
    assert outside(path) <= {"numpy", "PIL", "ai_edge_litert"} | extra


@pytest.mark.parametrize("path", files("configs"), ids=ids)
def test_configs_are_data(path):
    assert roots(path) <= {"configs", "ml_collections"}


@pytest.mark.parametrize("path", [p for p in files(PACKAGE) if part(p) not in SEE_A_CONFIG], ids=ids)
def test_only_the_top_floors_see_a_config(path):
    names = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
    arguments = {node.arg for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.arg)}
    assert "config" not in names | arguments
    assert "ml_collections" not in roots(path)
