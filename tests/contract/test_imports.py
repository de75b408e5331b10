"""Folders import only from those above them in the order of the data flow; modules are short, and say what they are."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "nanotrigger"
ORDER = ["errors", "files", "tools", "command", "numbers", "data", "simulate", "networks", "evaluation", "training"]
ORDER += ["tasks", "datapath", "graph", "verilog", "firmware", "cost", "precision", "datasheet", "scan", "cli"]
ORDER += ["verify", "overlay", "api"]
MOST_LINES = 300


def module_name(file: Path) -> str:
    parts = file.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(file): file for file in SOURCE.rglob("*.py")}


def imported_modules(file: Path) -> set[str]:
    """Return what a file imports, in functions too; of this package the module, not the name in it."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file} imports {node.module} relatively"
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in MODULES else str(node.module) for name in whole}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


def imported_parts(file: Path) -> set[str]:
    return {name.split(".")[1] for name in imported_modules(file) if name.startswith("nanotrigger.")}


def test_imports_point_up():
    for file in SOURCE.rglob("*.py"):
        part = file.relative_to(SOURCE).parts[0].removesuffix(".py")
        if part == "__init__":
            assert imported_parts(file) == {"api"}  # for type checkers
            continue
        assert part in ORDER, f"{part} has no place in the order"
        below = {other for other in imported_parts(file) if ORDER.index(other) > ORDER.index(part)}
        assert not below, f"{file} imports {below}, which come later"


def test_no_module_imports_itself_through_others():
    imports = {name: (imported_modules(file) & set(MODULES)) - {name} for name, file in MODULES.items()}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        raise AssertionError(" imports ".join(reversed(error.args[1]))) from None


def test_evaluation_takes_arrays():
    for file in (SOURCE / "evaluation").rglob("*.py"):
        assert imported_parts(file) <= {"errors", "files", "numbers", "evaluation"}, file
        assert "torch" not in {name.split(".")[0] for name in imported_modules(file)}, file


def test_every_folder_of_modules_is_a_package():
    for folder in {file.parent for file in SOURCE.rglob("*.py")}:
        assert (folder / "__init__.py").is_file(), f"{folder} has no __init__.py that says what lives there"


def test_every_module_says_what_it_is():
    for file in SOURCE.rglob("*.py"):
        first = (ast.get_docstring(ast.parse(file.read_text())) or "").splitlines()[:1]
        assert first, file
        assert first[0].endswith((".", ":")) or first[0].endswith('."'), f"{file}: {first[0]}"


def test_no_module_is_long():
    for file in SOURCE.rglob("*.py"):
        lines = len(file.read_text().splitlines())
        assert lines <= MOST_LINES, f"{file} has {lines} lines, more than {MOST_LINES}; divide it by what it does"
