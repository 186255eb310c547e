"""schema.graphql against the newest release: what breaks whom, and what CHANGELOG.md does not name.

`python -m tests.compatibility` exits with 1 if there is any of either. Without git, or before the first release, it says
that there is nothing to compare with.
"""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graphql import (
    BreakingChange,
    BreakingChangeType,
    DangerousChange,
    DangerousChangeType,
    GraphQLNamedType,
    GraphQLSchema,
    GraphQLSyntaxError,
    build_schema,
    find_schema_changes,
    is_specified_scalar_type,
)

ROOT = Path(__file__).parent.parent
SCHEMA, CHANGELOG = "schema.graphql", "CHANGELOG.md"

_ASKING = "operations that ask for it are refused, and generated clients do not compile"
_SENDING = "operations that send it are refused"
_OMITTING = "operations that leave it out, as all of today's do, are refused"
_READING = "clients get a value that they cannot read, or send one that is refused"
_FRAGMENTS = "fragments on it are refused, or find nothing"
_SWITCHING = "clients that list every case meet one that they do not know"
_DEFAULT = "operations that leave it out mean something else from now on"
_HARMLESS = "old operations mean what they did"

_WHOM: Mapping[BreakingChangeType | DangerousChangeType, str] = {
    BreakingChangeType.TYPE_REMOVED: _ASKING,
    BreakingChangeType.TYPE_CHANGED_KIND: _ASKING,
    BreakingChangeType.TYPE_REMOVED_FROM_UNION: _FRAGMENTS,
    BreakingChangeType.VALUE_REMOVED_FROM_ENUM: f"{_SENDING}, and clients that wait for it wait for ever",
    BreakingChangeType.REQUIRED_INPUT_FIELD_ADDED: _OMITTING,
    BreakingChangeType.IMPLEMENTED_INTERFACE_REMOVED: _FRAGMENTS,
    BreakingChangeType.FIELD_REMOVED: _ASKING,
    BreakingChangeType.FIELD_CHANGED_KIND: _READING,
    BreakingChangeType.REQUIRED_ARG_ADDED: _OMITTING,
    BreakingChangeType.ARG_REMOVED: _SENDING,
    BreakingChangeType.ARG_CHANGED_KIND: _READING,
    BreakingChangeType.DIRECTIVE_REMOVED: _SENDING,
    BreakingChangeType.DIRECTIVE_ARG_REMOVED: _SENDING,
    BreakingChangeType.REQUIRED_DIRECTIVE_ARG_ADDED: _OMITTING,
    BreakingChangeType.DIRECTIVE_REPEATABLE_REMOVED: _SENDING,
    BreakingChangeType.DIRECTIVE_LOCATION_REMOVED: _SENDING,
    DangerousChangeType.VALUE_ADDED_TO_ENUM: _SWITCHING,
    DangerousChangeType.TYPE_ADDED_TO_UNION: _SWITCHING,
    DangerousChangeType.OPTIONAL_INPUT_FIELD_ADDED: _HARMLESS,
    DangerousChangeType.OPTIONAL_ARG_ADDED: _HARMLESS,
    DangerousChangeType.IMPLEMENTED_INTERFACE_ADDED: _SWITCHING,
    DangerousChangeType.ARG_DEFAULT_VALUE_CHANGE: _DEFAULT,
    DangerousChangeType.INPUT_FIELD_DEFAULT_VALUE_CHANGE: _DEFAULT,
}


def check(folder: Path) -> tuple[bool, list[str]]:
    """Whether the repository's schema keeps what its newest release promised, and the lines that say so."""
    tag = _newest_release(folder)
    before = tag and _git(folder, "show", f"{tag}:{SCHEMA}")
    if not tag or not before:
        missing = f"{tag} has no {SCHEMA}" if tag else "no release tag v… is reachable from HEAD"
        return True, [f"{SCHEMA}: {missing}: there is nothing to compare with"]
    try:
        old, new = build_schema(before), build_schema((folder / SCHEMA).read_text(encoding="utf-8"))
    except GraphQLSyntaxError as error:
        return False, [f"{SCHEMA}: {error.message} (`make schema` writes it anew)"]
    broken, risky = _changes(old, new)
    unnamed = _unnamed(added(old, new), (folder / CHANGELOG).read_text(encoding="utf-8"), tag)
    lines = [f"breaks clients of {tag}: {line}" for line in broken]
    lines += [f"may surprise clients of {tag}: {line}" for line in risky]
    lines += [f"{CHANGELOG} does not name what is new since {tag}: {name}" for name in unnamed]
    if broken:
        lines.append("Bring back what is missing, mark it @deprecated(reason:), and add the new beside it.")
    return not broken and not unnamed, lines or [f"{SCHEMA} keeps all that {tag} has"]


def _newest_release(folder: Path) -> str | None:
    """The tag; of v1.0.0 and v1.0.0-rc.1 the former is the newer one."""
    tags = _git(
        folder, "-c", "versionsort.suffix=-",
        "tag", "--merged", "HEAD", "--list", "v[0-9]*", "--sort=-version:refname",
    )  # fmt: skip
    return tags.split("\n")[0] if tags else None


def _git(folder: Path, *arguments: str) -> str | None:
    """What git says; None when it is not there, or finds nothing."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, encoding="utf-8", check=True, timeout=30
        )
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    return done.stdout


def _changes(old: GraphQLSchema, new: GraphQLSchema) -> tuple[list[str], list[str]]:
    broken, risky = [], []
    for change in find_schema_changes(old, new):
        if isinstance(change, BreakingChange):
            broken.append(f"{change.description.rstrip('.')}: {_WHOM[change.type]}")
        elif isinstance(change, DangerousChange):
            risky.append(f"{change.description.rstrip('.')}: {_WHOM[change.type]}")
    return broken, risky


def added(old: GraphQLSchema, new: GraphQLSchema) -> list[str]:
    """What is new: `Type`, or of a type that was there before `Type.field`, `Enum.VALUE`, `Type.field(argument:)`."""
    names = []
    for name, type_ in new.type_map.items():
        if name.startswith("__") or is_specified_scalar_type(type_):
            continue
        if name not in old.type_map:
            names.append(name)
            continue
        known = members(old.type_map[name])
        for member, definition in members(type_).items():
            if member not in known:
                names.append(f"{name}.{member}")
                continue
            new_arguments = arguments(definition).keys() - arguments(known[member]).keys()
            names += [f"{name}.{member}({argument}:)" for argument in sorted(new_arguments)]
    return names


def members(type_: GraphQLNamedType) -> dict[str, Any]:
    """The fields of a type, or the values of an enum."""
    return dict(getattr(type_, "fields", None) or getattr(type_, "values", None) or {})


def arguments(member: Any) -> dict[str, Any]:
    """The arguments of a field."""
    return dict(getattr(member, "args", {}))


def _unnamed(names: list[str], changelog: str, tag: str) -> list[str]:
    """Those that do not stand above that release's own section."""
    news = changelog.partition(f"\n## [{tag.removeprefix('v')}]")[0]
    return [name for name in names if not re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", news)]


def main(folder: Path = ROOT) -> int:
    """Says it, and gives the exit code."""
    is_kept, lines = check(folder)
    (sys.stdout if is_kept else sys.stderr).write("\n".join(lines) + "\n")
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
