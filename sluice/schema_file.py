"""A record schema in a JSON or YAML file, and the lines on which its parts stand: every error names its line."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Self

import yaml

from sluice import operations
from sluice.client import ApiClient, in_words
from sluice.errors import ApiError, SluiceError

_YAML = (".yaml", ".yml")
_JSON_WORD = re.compile(r"null|true|false|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_TAGS = ("tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map")
_VARIABLE_PATH = re.compile(r"^Variable '\$input' has invalid value(?: at ((?:\.\w+|\[\d+\])+))?:")
"""How GraphQL says where a variable does not fit its type: before any resolver, so not as a userError."""


@dataclass(frozen=True)
class SchemaFile:
    """What a file says, in the shape of CreateRecordSchemaInput, which the API checks."""

    path: Path
    text: str
    definition: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads YAML from .yaml and .yml, JSON from anything else. Raises SluiceError."""
        text = _text(path)
        definition = _from_yaml(path, text) if path.suffix.lower() in _YAML else _from_json(path, text)
        if not isinstance(definition, dict):
            raise SluiceError(f"{path} holds no object: it should look like CreateRecordSchemaInput")
        try:
            json.dumps(definition, ensure_ascii=False, allow_nan=False).encode()
        except ValueError as error:  # half a surrogate pair, NaN
            raise SluiceError(f"{path} cannot be sent: {error}") from None
        return cls(path, text, definition)

    async def save(self, client: ApiClient) -> dict[str, Any]:
        """The saved RecordSchema. Raises SluiceError, with a line for everything in the file that is wrong."""
        async with client:
            try:
                return await operations.create_schema(client, self.definition)
            except ApiError as error:
                raise self._with_lines(error) from None

    def _with_lines(self, refused: ApiError) -> SluiceError:
        paths = [_path(error) for error in refused.errors]
        if all(path is None for path in paths):
            return refused  # nothing to do with the file
        root = self._root()
        told = zip(refused.errors, paths, strict=True)
        return SluiceError(
            "\n".join(f"{self._place(root, path)}: {in_words([error])}" for error, path in told)
        )

    def _root(self) -> yaml.Node | None:
        try:
            # JSON is YAML, but for tabs between its tokens; inside of its texts there are none.
            return yaml.compose(self.text.replace("\t", " "), Loader=_Loader)
        except yaml.YAMLError:
            return None

    def _place(self, root: yaml.Node | None, path: Sequence[str] | None) -> str:
        return f"{self.path}:{_line(root, path)}" if root and path is not None else str(self.path)


def _text(path: Path) -> str:
    content = b""
    try:
        content = path.read_bytes()
        return content.decode(json.detect_encoding(content))
    except OSError as error:
        raise SluiceError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SluiceError(f"{path}:{line}: this is not text in {error.encoding}") from None


def _from_json(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise SluiceError(
            f"{path}:{error.lineno}: this is not JSON: {error.msg} (YAML belongs into a file that ends with .yaml)"
        ) from None
    except ValueError as error:  # more digits than Python converts
        raise SluiceError(f"{path}: {error}") from None
    except RecursionError:
        raise SluiceError(f"{path} is nested too deeply") from None


class _Loader(yaml.BaseLoader):
    """Makes nodes only, and no aliases: a few lines of them are billions of values."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """As ever, without aliases."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are not supported", mark)
        return super().compose_node(parent, index)


def _from_yaml(path: Path, text: str) -> Any:
    try:
        root = yaml.compose(text, Loader=_Loader)
        return None if root is None else _value(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise SluiceError(
            f"{path}:{mark.line + 1 if mark else 1}: {error.problem or error.context}"
        ) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise SluiceError(f"{path}:{line}: {error.reason}") from None
    except ValueError as error:
        raise SluiceError(f"{path}: {error}") from None
    except RecursionError:
        raise SluiceError(f"{path} is nested too deeply") from None


def _value(node: yaml.Node) -> Any:
    """What JSON would say. A word without quotes is text unless it is one of JSON's: `no`, `007` and `12:30` are texts."""
    if node.tag not in _TAGS:
        _refuse(node, "tags are not supported")
    match node:
        case yaml.MappingNode():
            return _mapping(node)
        case yaml.SequenceNode():
            return [_value(element) for element in node.value]
        case yaml.ScalarNode() if node.style is None and _JSON_WORD.fullmatch(node.value):
            return json.loads(node.value)
        case yaml.ScalarNode() if node.style is None and node.value in ("", "~"):
            return None
        case _:
            return node.value


def _mapping(node: yaml.MappingNode) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            _refuse(key, "a key must be a text")
        if key.value in found:
            _refuse(key, f"the key {key.value} occurs twice")
        found[key.value] = _value(value)
    return found


def _refuse(node: yaml.Node, problem: str) -> NoReturn:
    raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def _path(error: Mapping[str, Any]) -> list[str] | None:
    """Where in the input an error of the API is; None when it does not say."""
    if field := error.get("field"):
        return [str(step) for step in field[1:]]  # without `input`
    if found := _VARIABLE_PATH.search(error["message"]):
        return re.findall(r"\w+", found[1] or "")
    return None


def _line(node: yaml.Node, path: Iterable[str]) -> int:
    """The line of what `path` leads to, or of the last thing on the way that is there."""
    line: int = node.start_mark.line
    for step in path:
        match node:
            case yaml.MappingNode():
                found = [(key, value) for key, value in node.value if key.value == step]
            case yaml.SequenceNode() if step.isdecimal() and int(step) < len(node.value):
                found = [(node.value[int(step)],) * 2]
            case _:
                found = []
        if not found:
            break
        key, node = found[-1]
        line = key.start_mark.line
    return line + 1
