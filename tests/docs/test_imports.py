"""A check that a module imports only from its own folder and from lower floors, see docs/architecture.md."""

import ast
import pathlib
import sys

import pytest

from tf_layered_gan.config import FIELDS

ROOT = pathlib.Path(__file__).parents[2]
PACKAGE = "tf_layered_gan"
EDGE = ROOT / "edge_segmenter"

# The lowest floor comes first. Modules in one folder may import one another.
FLOORS = [
    {"__version__", "console", "files", "interruption"},
    {"startup"},
    {"command_line"},
    {"config"},
    {"data"},
    {"labelling"},
    {"models"},
    {"evaluation"},
    {"exploration"},
    {"runs"},
    {"reporting"},
    {"training"},
    {"train", "evaluate", "report", "synthesize", "explore"},
    {"distill", "library"},
    {"main", "paper"},
]
FLOOR_OF = {name: floor for floor, names in enumerate(FLOORS) for name in names}
SEE_A_CONFIG = {"main", "train", "evaluate", "report", "synthesize", "explore", "library"}
SEE_A_CONFIG |= {"config", "training", "paper"}
SEE_A_CONFIG |= {"data/sources", "models/build", "models/memory", "models/sampling", "evaluation/gan_figures"}
SEE_A_CONFIG |= {"runs/config_record", "runs/passes", "runs/restarts", "runs/restore", "runs/run_photos"}
SEE_A_CONFIG |= {"reporting/run_figures"}


def files(folder):
    paths = sorted((ROOT / folder).rglob("*.py"))
    return [path for path in paths if path.name != "__init__.py" and "build" not in path.relative_to(ROOT).parts]


def part(path):
    """Returns the module or package in tf_layered_gan that a file belongs to."""
    return path.relative_to(ROOT / PACKAGE).parts[0].removesuffix(".py")


def place(path):
    """Returns the path of a module in tf_layered_gan, such as "models/build"."""
    return path.relative_to(ROOT / PACKAGE).with_suffix("").as_posix()


def nodes(path, *kinds):
    """Returns the nodes of the given kinds in the syntax tree of a file."""
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, kinds)]


def imports(path):
    """Yields the dotted names of all imports in a file. For `from a import b`, the name is a.b.

    Relative imports are left out. Only export and edge_segmenter use relative imports, because pip renames these
    packages.
    """
    for node in nodes(path, ast.Import, ast.ImportFrom):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif node.level:
            assert path.relative_to(ROOT).parts[0] in ("export", "edge_segmenter"), f"{path}: relative import"
        else:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def roots(path):
    return {name.split(".")[0] for name in imports(path)}


def outside(path):
    """Returns the packages that a file imports, without the standard library."""
    return roots(path) - set(sys.stdlib_module_names)


def ids(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", files(PACKAGE), ids=ids)
def test_imports_go_down(path):
    assert part(path) in FLOOR_OF, f"{path} has no floor: add its folder to FLOORS"
    for name in imports(path):
        package, *rest = name.split(".")
        if package == PACKAGE and rest[0] != part(path):
            assert FLOOR_OF[rest[0]] < FLOOR_OF[part(path)], f"{path} imports {name}"


@pytest.mark.parametrize("path", files(PACKAGE), ids=ids)
def test_package_imports_none_of_its_users(path):
    assert not roots(path) & {"export", "configs", "benchmarks", "tests"}


MODELS = ROOT / PACKAGE / "models"


@pytest.mark.parametrize(
    "path", [*files(MODELS / "networks"), MODELS / "losses.py", MODELS / "composition.py"], ids=ids
)
def test_networks_losses_and_composition_run_on_every_keras_backend(path):
    fused_op = {"batch_norm.py": {"tensorflow"}}.get(path.name, set())
    assert outside(path) <= {"keras", PACKAGE} | fused_op
    below = {name for name in imports(path) if name.startswith(PACKAGE)}
    assert all(name.startswith(f"{PACKAGE}.models.networks") for name in below)
    assert not any(name.startswith(("keras.src", "keras.backend")) for name in imports(path))


@pytest.mark.parametrize("path", files(EDGE), ids=ids)
def test_edge_segmenter_imports_no_tensorflow(path):
    extra = {"video.py": {"cv2"}, "formats.py": {"pillow_heif"}}.get(path.name, set())
    assert outside(path) <= {"numpy", "PIL", "ai_edge_litert"} | extra


@pytest.mark.parametrize("path", files("configs"), ids=ids)
def test_configs_only_change_the_default_config(path):
    assert set(imports(path)) == {"tf_layered_gan.config.default_config"}


@pytest.mark.parametrize("path", [p for p in files(PACKAGE) if not SEE_A_CONFIG & {part(p), place(p)}], ids=ids)
def test_other_modules_see_no_config(path):
    names = {node.id for node in nodes(path, ast.Name)} | {node.arg for node in nodes(path, ast.arg)}
    assert "config" not in names
    assert "ml_collections" not in roots(path)


def test_at_most_12_modules_stand_directly_in_the_package():
    modules = [path.name for path in (ROOT / PACKAGE).glob("*.py")]
    assert len(modules) <= 12, sorted(modules)


def test_every_field_of_the_config_is_used():
    users = [path for path in files(PACKAGE) if part(path) != "config"]
    attributes = {node.attr for path in users for node in nodes(path, ast.Attribute)}
    # If a function is called with **section, its parameters have the names of the fields.
    arguments = {node.arg for path in users for node in nodes(path, ast.arg)}
    names = {field.name for field in FIELDS}
    assert {name for name in names if name.split(".")[-1] not in attributes | arguments} == set()
