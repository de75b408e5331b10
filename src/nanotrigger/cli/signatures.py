"""The keys that a class takes, read from its source file: nothing is imported, which would take seconds."""

import ast
import importlib.util
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

Keys = dict[str, "Keys | None"]
"""Key → the keys in it, none for a plain value, or None if these are not known."""

_PLAIN = {"int", "float", "str", "bool", "None", "Path", "Literal"}
_CONTAINERS = {"Optional", "Union", "Sequence", "Iterable", "List", "list", "Tuple", "tuple"}
_MOST_STEPS = 20  # from a name to its definition; more is a circle


class _Definition(NamedTuple):
    """A class or a value, and the module that defines it."""

    node: ast.ClassDef | ast.expr
    module: str


def keys_of_class(path: str) -> Keys | None:
    """Return the arguments of a class, those of its bases included where it passes on `**others`.

    Args:
        path: such as `nanotrigger.networks.MLP`.

    Returns:
        None if the source does not tell.
    """
    found = _definition(*path.rpartition(".")[::2])
    return None if found is None or not isinstance(found.node, ast.ClassDef) else _keys_of(found.node, found.module)


def keys_of_method(path: str, method: str) -> Keys | None:
    """Return the arguments of a method that a class itself defines; None if the source does not tell."""
    found = _definition(*path.rpartition(".")[::2])
    if found is None or not isinstance(found.node, ast.ClassDef):
        return None
    function = _method(found.node, method)
    return None if function is None else _arguments(function, found.module)


def _keys_of(node: ast.ClassDef, module: str) -> Keys | None:
    if _is_dataclass(node):
        return None if node.bases else {name: _inner(kind, module) for name, kind in _fields(node)}
    function = _method(node, "__init__")
    own = {} if function is None else _arguments(function, module)
    if function is not None and function.args.kwarg is None:
        return own
    for base in node.bases:
        found = _definition(module, ast.unparse(base))
        inherited = _keys_of(found.node, found.module) if found and isinstance(found.node, ast.ClassDef) else None
        if inherited is None:
            return None
        own = {**inherited, **own}
    return own if node.bases else None


def _arguments(function: ast.FunctionDef, module: str) -> Keys:
    arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return {argument.arg: _inner(argument.annotation, module) for argument in arguments if argument.arg != "self"}


def _inner(annotation: ast.expr | None, module: str, steps: int = _MOST_STEPS) -> Keys | None:
    """Return the keys in values of a type: none for plain ones, the fields of a dataclass, None if it does not tell."""
    keys: Keys = {}
    for name in _names(annotation) if steps else ["?"]:
        if name in _PLAIN or name in _CONTAINERS:
            continue
        found = _definition(module, name)
        if found is None:
            return None
        if not isinstance(found.node, ast.ClassDef):
            inner = _inner(found.node, found.module, steps - 1)
        else:
            inner = _keys_of(found.node, found.module) if _is_dataclass(found.node) else None
        if inner is None:
            return None
        keys |= inner
    return keys


def _names(annotation: ast.expr | None) -> Iterator[str]:
    """Yield the types that an annotation consists of; `?` for what is none of the forms known here."""
    match annotation:
        case ast.Constant(value=None):
            return
        case ast.Constant(value=str(text)):
            yield from _names(_expression(text))
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            yield from _names(left)
            yield from _names(right)
        case ast.Subscript(value=ast.Name(id="Literal")):
            return
        case ast.Subscript(value=ast.Name(id=container), slice=inner) if container in _CONTAINERS:
            for part in inner.elts if isinstance(inner, ast.Tuple) else [inner]:
                yield from _names(part)
        case ast.Name(id=name):
            yield name
        case ast.Constant(value=value) if value is ...:
            return
        case _:
            yield "?"


def _expression(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError:
        return None


def _definition(module: str, name: str, steps: int = _MOST_STEPS) -> _Definition | None:
    """Return what a module means by a name, followed through its imports; None if that is not found."""
    file = _file(module)
    if file is None or not steps:
        return None
    for node in _statements(_tree(file).body):
        match node:
            case ast.ClassDef(name=own) if own == name:
                return _Definition(node, module)
            case ast.Assign(targets=[ast.Name(id=own)], value=value) if own == name:
                return _Definition(value, module)
            case ast.ImportFrom(module=origin, names=aliases, level=level):
                for alias in aliases:
                    if (alias.asname or alias.name) == name:
                        return _definition(_absolute(origin, level, module, file), alias.name, steps - 1)
    return None


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield a module's statements, also those under `if`, such as `if TYPE_CHECKING`."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If):
            yield from _statements(statement.body)


def _absolute(origin: str | None, level: int, module: str, file: Path) -> str:
    """Return the name of the module that `from ..origin import` names."""
    if not level:
        return origin or ""
    parts = module.split(".")
    kept = parts[: len(parts) - level + (file.name == "__init__.py")]
    return ".".join([*kept, *([origin] if origin else [])])


def _method(node: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    methods = [part for part in node.body if isinstance(part, ast.FunctionDef) and part.name == name]
    return methods[-1] if methods else None


def _is_dataclass(node: ast.ClassDef) -> bool:
    return any(ast.unparse(decorator).partition("(")[0].endswith("dataclass") for decorator in node.decorator_list)


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    for part in node.body:
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            yield part.target.id, part.annotation


@cache
def _tree(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError):  # the full parser will say so
        return ast.Module([], [])


@cache
def _file(module: str) -> Path | None:
    """Return a module's source file; only the top-level package is asked for, since others import their parents."""
    top, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if not rest and spec.origin and spec.origin.endswith(".py"):
        return Path(spec.origin)
    for folder in spec.submodule_search_locations or []:
        path = Path(folder, *rest)
        for file in (path / "__init__.py", path.with_suffix(".py")):
            if file.is_file():
                return file
    return None
