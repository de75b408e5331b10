"""What jsonargparse says of a wrong argument, in our words: the key as it was typed, the value and the remedy."""

import ast
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import jsonargparse

from nanotrigger.cli.given import Given, as_yaml, first_keyless, first_unreadable, pairs, read_shown, shortened
from nanotrigger.command import dashed, did_you_mean, input_error, one_line
from nanotrigger.errors import InputError
from nanotrigger.numbers import FixedPoint

_PLAIN = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "a text",
    "list": "a list",
    "Sequence": "a list",
    "Iterable": "a list",
    "tuple": "a list",
    "set": "a list",
    "dict": "keys with values, such as {a: 1}",
    "Mapping": "keys with values, such as {a: 1}",
}
_CLASSES = {
    "Network": "a network, such as nanotrigger.networks.MLP",
    "LightningModule": "a task, such as nanotrigger.tasks.JetTagging",
    "LightningDataModule": "data, such as nanotrigger.tasks.JetData",
}
_SHOW = "--print_config shows all keys"
_KEY = re.compile(r'[Pp]arser key "([\w.]+)"')


class _Complaint(NamedTuple):
    """What is wrong at one key.

    Attributes:
        key: as the parser knows it, without `init_args`; empty if it is about the whole.
        lines: reasons, without their indentation.
    """

    key: str
    lines: list[str]

    def found(self, pattern: str) -> list[str]:
        """Return what the group of a pattern matches in each line; of several groups, the one that does."""
        matches = (re.search(pattern, line) for line in self.lines)
        return [str(match[match.lastindex or 0]) for match in matches if match]


@contextmanager
def said_plainly(
    arguments: Sequence[str], files: Sequence[Path] = (), *, prefix: str = "", show: str = _SHOW
) -> Iterator[None]:
    """Raise what jsonargparse raises as an InputError of one line.

    Args:
        arguments: those that are parsed, with dashes.
        files: configurations that are read before them, in order.
        prefix: what stands before the parser's keys where the user types them.
        show: which option shows all keys.
    """
    try:
        yield
    except jsonargparse.ArgumentError as error:
        if input_error(error):
            raise
        raise InputError(_in_our_words(str(error), Given(arguments, files, prefix), show)) from error
    except Exception as error:  # Lightning names a key by its last word
        if lacking := re.search(r"class_path '([\w.]+)':\s+Requirement '([\w-]+)[^']*' not met", str(error)):
            raise InputError(f"{lacking[1]} needs {lacking[2]}: pip install {lacking[2]}") from None
        named = set(re.findall(r"`(\w+)", str(error)))
        typed = [f"{name}={shortened(value)}" for name, value in pairs(arguments) if name.rpartition(".")[2] in named]
        line = one_line(error)
        if input_error(error) or line is None or not typed:
            raise
        raise InputError(f"{typed[0]}: {line}") from error


def read_settings(
    parser: jsonargparse.ArgumentParser, arguments: Sequence[str], *, prefix: str = ""
) -> jsonargparse.Namespace:
    """Return what a parser reads from `key=value` or `--key=value`.

    Args:
        parser: of `settings_parser`.
        arguments: of the command.
        prefix: what stands before the parser's keys where the user types them.

    Raises:
        InputError: a key that the parser does not have, with the nearest that it has, or a value that cannot be used.
    """
    words = dashed(arguments)
    keys = [*parser.get_defaults().keys(), "help"]
    for word in words:
        match = re.match(r"--([A-Za-z_][\w.]*)", word)
        if match and match[1] not in keys:
            nearest = did_you_mean(match[1], keys, prefix)
            raise InputError(f"unknown key {prefix}{match[1]}; {nearest}--help shows all keys")
    with said_plainly(words, prefix=prefix, show="--help shows all keys"):
        return parser.parse_args(words)


def _in_our_words(message: str, given: Given, show: str) -> str:
    message = re.sub(r"NestedArg\(key='[\w.]+', val='?(.*?)'?\)", r"\1", message)
    if message.startswith("Problems parsing config"):
        return f"{first_unreadable(given.files)}{' '.join(message.partition(':')[2].split())}; check its brackets"
    if message.startswith("Unexpected config"):
        return f"{first_keyless(given.files)} holds no keys; write key: value"
    if unrecognized := re.search(r"unrecognized arguments: (.*)", message):
        word = unrecognized[1].split(" --")[0]
        if not word.startswith("--"):
            return f"{word}: write key=value; {show}"
        return f"{given.unknown(_innermost(message).key, word[2:].partition('=')[0])}; {show}"
    complaint = _innermost(message)
    classes = complaint.found(r"Problem with given class_path '(.*)'")
    if unaccepted := complaint.found(r"[Oo]ption '([\w.]+)' is not accepted|does not accept option '([\w.]+)'"):
        for kind, example in _CLASSES.items():
            if any(path.endswith(f".{kind}") for path in classes):
                return f"{given.prefix}{complaint.key}.class_path is missing; name {example}"
        return f"{given.unknown(complaint.key, unaccepted[0])}; {show}"
    if valueless := complaint.found(r"argument (?:--)?([\w.]+): expected one argument"):
        names = (name for name, _ in pairs(given.arguments) if name.startswith(valueless[0]))
        name = f"{given.prefix}{next(names, valueless[0])}"
        return f"{name} has no value; write {name}=VALUE"
    if missing := complaint.found(r"required: ([\w., -]+)|[Kk]ey \"([\w.]+)\" is required"):
        where = f"{given.typed(complaint.key, None)}: " if complaint.key else given.prefix
        return f"{where}{missing[0].replace('--', '')} is missing; give it as well"
    if complaint.found(r"(Unable to load config|no attribute 'keys')"):
        return f"{given.typed(complaint.key, None)}: must hold keys; write {given.prefix}{complaint.key}.KEY=VALUE"
    value = _value(complaint)
    if absent := complaint.found(r"(?:File|Path|Directory) [a-z ]*: '(.*)'"):
        return f"{absent[0]}: no such file, or none that can be read"
    classes = classes or complaint.found(r"Import path ?(.*?) ?does not correspond to a subclass")
    if classes and not complaint.found(r"^Subtypes: .*(FixedPoint)"):
        return f"{given.class_of(complaint.key, classes[0] or value or '')}: {_why_no_class(complaint)}"
    return f"{given.typed(complaint.key, value)}: {_remedy(complaint, value)}"


def _why_no_class(complaint: _Complaint) -> str:
    of_another_kind = complaint.found(r"does not correspond to a subclass of (\w+)")
    if of_another_kind:
        return f"it is of another kind; give {_CLASSES.get(of_another_kind[0], of_another_kind[0])}"
    place = next(place for place, line in enumerate(complaint.lines) if line.startswith("Problem"))
    reason = complaint.lines[place + 1 : place + 2]
    return f"there is no such class ({''.join(reason)}); check its whole path"


def _remedy(complaint: _Complaint, value: str | None) -> str:
    """Return what would be right."""
    kinds = complaint.found(r"^Expected an? (.*?)(?:\. Got value: .*)?$")
    strangers = complaint.found(r"Not a valid subclass of (\w+)")
    if strangers or complaint.found("(given class_path|import path|Subclasses are disabled)"):  # a class was expected
        types = " ".join([*complaint.found(r"^Subtypes: [\[(](.*)[\])]$"), *strangers])
        if "FixedPoint" in types:
            return _remedy_for_format(read_shown(value or ""), several="Sequence[" in types)
        named = [example for name, example in _CLASSES.items() if re.search(rf"\b{name}\b", types)]
        if named:
            return f"name {named[0]}"
    return _remedy_for_kinds(kinds, value)


def _remedy_for_format(value: Any, *, several: bool) -> str:
    """Return why a value is no format, or which of its items is none."""
    if isinstance(value, list | dict):
        items = value if isinstance(value, list) else value.values()
        wrong = [item for item in items if not isinstance(item, dict) and _why_no_format(item)]
        if wrong:
            return f"{as_yaml(wrong[0])}: {_why_no_format(wrong[0])}"
        return "no format; write it like fixed<16,6> or ufixed<8,0>"
    reason = _why_no_format(value)
    return f"{reason}, or give a list with one for each layer" if several and "no format" in reason else reason


def _why_no_format(value: Any) -> str:
    text = str(value).strip()
    try:
        FixedPoint.parse(text)
    except InputError as error:
        return str(error).removeprefix(f"{text}: ")
    return ""


def _remedy_for_kinds(kinds: Sequence[str], value: str | None) -> str:
    choices: list[str] = []
    words: list[str] = []
    for kind in kinds:
        if literal := re.match(r"typing\.Literal(\[.*\])", kind):
            choices += [str(choice) for choice in ast.literal_eval(literal[1])]
            continue
        name = re.sub(r"^<class '(.*)'>$", r"\1", kind).partition("[")[0].rpartition(".")[2]
        words += [_PLAIN[name]] if name in _PLAIN else []
        words += ["the whole path of a class"] if "dot import path" in kind else []
    if words == ["a list"] and not choices and value is not None and not value.startswith(("[", "{")):
        return f"write a list: [{value}]"
    if choices and not words:
        return f"choose one of {', '.join(dict.fromkeys(choices))}"
    return f"must be {' or '.join(dict.fromkeys([*words, *choices]))}" if words else f"cannot be used; {_SHOW}"


def _innermost(message: str) -> _Complaint:
    """Return the complaint at the key that lies deepest in the parser's tree of reasons."""
    lines = message.splitlines()
    depths = [len(line) - len(line.lstrip(" ")) for line in lines]
    places = [place for place, line in enumerate(lines) if _KEY.search(line)]
    if not places:
        return _Complaint("", [line.strip(" -") for line in lines])
    place = max(places, key=lambda place: depths[place])  # the first one of several
    keys = [_KEY.findall(lines[place])[0]]
    above = depths[place]
    for outer in reversed(places[: places.index(place)]):
        if depths[outer] < above:
            keys.insert(0, _KEY.findall(lines[outer])[0])
            above = depths[outer]
    inside = [_KEY.sub("", lines[place])]
    for line, depth in zip(lines[place + 1 :], depths[place + 1 :], strict=True):
        if line.strip() and depth <= depths[place]:
            break
        inside.append(line)
    return _Complaint(".".join(dict.fromkeys(keys)), [line.strip(" -:") for line in inside if line.strip(" -:")])


def _value(complaint: _Complaint) -> str | None:
    """Return the value that is wrong, as the parser shows it."""
    shown = complaint.found(r"Got value: (.*)$") or complaint.found(r"^Given value: (.*)$")
    return shown[0] if shown else None
