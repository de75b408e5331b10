"""Each folder imports only from folders above it in the order in which the data flow."""

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "nanotrigger"
ORDER = ["errors", "files", "tools", "command", "numbers", "data", "simulate", "networks", "evaluation", "training"]
ORDER += ["tasks", "datapath", "graph", "verilog", "firmware", "cost", "precision", "datasheet", "scan", "cli"]
ORDER += ["verify"]


def imported_parts(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("nanotrigger.")}


def test_imports_point_up():
    for file in SOURCE.rglob("*.py"):
        part = file.relative_to(SOURCE).parts[0].removesuffix(".py")
        if part == "__init__":
            assert not imported_parts(file)
            continue
        assert part in ORDER, f"{part} has no place in the order"
        below = {other for other in imported_parts(file) if ORDER.index(other) > ORDER.index(part)}
        assert not below, f"{file} imports {below}, which come later"


def test_every_module_says_what_it_is():
    for file in SOURCE.rglob("*.py"):
        first = (ast.get_docstring(ast.parse(file.read_text())) or "").splitlines()[:1]
        assert first, file
        assert first[0].endswith((".", ":")) or first[0].endswith('."'), f"{file}: {first[0]}"
