"""The check that stands between a change of the schema and the clients of the last release, in real repositories."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from graphql import BreakingChangeType, DangerousChangeType

from tests import compatibility
from tests.compatibility import ROOT, check, main

RELEASED = '''
"""Where a job stands."""
enum Status { PENDING DONE }
input Filter { status: Status }
type Job { id: ID! status: Status! }
type Query { job(id: ID!): Job jobs(first: Int = 20): [Job!]! }
'''


@pytest.fixture(autouse=True)
def no_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests from a hook of git has variables that lead to his own repository."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A clone with one release, v1.2.0."""
    git(tmp_path, "init", "--quiet")
    (tmp_path / "schema.graphql").write_text(RELEASED)
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n\n## [1.2.0]\n- `Job.late`\n")
    release(tmp_path, "v1.2.0")
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    """Runs git as somebody who signs nothing."""
    if not shutil.which("git"):
        pytest.skip("git is not installed")
    settings = (
        "user.name=Somebody",
        "user.email=somebody@example.com",
        "commit.gpgSign=false",
        "tag.gpgSign=false",
    )
    given = [word for setting in settings for word in ("-c", setting)]
    subprocess.run(["git", *given, *arguments], cwd=folder, check=True, capture_output=True)


def release(folder: Path, tag: str) -> None:
    """Commits everything and tags it."""
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", tag)
    git(folder, "tag", tag)


def change(folder: Path, old: str, new: str) -> None:
    """Changes the schema, as somebody who works on it does."""
    schema = folder / "schema.graphql"
    assert old in schema.read_text()
    schema.write_text(schema.read_text().replace(old, new))


def tell(folder: Path, entry: str) -> None:
    """Writes into the section of what is not released."""
    changelog = folder / "CHANGELOG.md"
    changelog.write_text(changelog.read_text().replace("[Unreleased]\n", f"[Unreleased]\n{entry}\n"))


def test_an_unchanged_schema_keeps_its_promises(repository: Path) -> None:
    """It says with what it was compared."""
    assert (True, ["schema.graphql keeps all that v1.2.0 has"]) == check(repository)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("id: ID! status: Status! }", "id: ID! }", "Field Job.status was removed"),
        ("status: Status! }", "status: Status }", "Field Job.status changed type from Status! to Status"),
        ("PENDING DONE", "DONE", "Enum value Status.PENDING was removed"),
        ("first: Int = 20", "first: Int = 20, of: ID!", "A required argument Query.jobs(of:) was added"),
        ("jobs(first: Int = 20)", "jobs", "Argument Query.jobs(first:) was removed"),
        ("input Filter { status: Status }", "input Filter { status: Status who: ID! }", "Filter.who"),
        ("type Job {", "type Work {", "Job was removed"),
    ],
    ids=["field", "nullable", "enum value", "required argument", "argument", "required input field", "type"],
)  # fmt: skip
def test_what_breaks_clients_fails(repository: Path, old: str, new: str, said: str) -> None:
    """With a line that says what it does, and to whom."""
    change(repository, old, new)
    if old == "type Job {":
        change(repository, "): Job jobs", "): Work jobs")
        change(repository, "[Job!]", "[Work!]")

    is_kept, lines = check(repository)

    assert not is_kept
    [line] = [line for line in lines if line.startswith("breaks clients of v1.2.0: ") and said in line]
    assert ": operations that " in line or ": clients get a value that they cannot read" in line
    assert "@deprecated" in lines[-1]


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("type Job {", "type Job { late: Boolean", "Job.late"),
        ("PENDING DONE", "PENDING DONE LATE", "Status.LATE"),
        ("input Filter {", "input Filter { late: Boolean", "Filter.late"),
        ("first: Int = 20", "first: Int = 20, late: Boolean", "Query.jobs(late:)"),
        ("type Query {", "type Late { id: ID! } type Query { late: Late", "Late"),
    ],
    ids=["field", "enum value", "input field", "argument", "type"],
)
def test_what_is_new_passes_once_the_changelog_names_it(
    repository: Path, old: str, new: str, name: str
) -> None:
    """By its name in the schema; what an older release tells of does not count."""
    change(repository, old, new)
    missing = f"CHANGELOG.md does not name what is new since v1.2.0: {name}"

    is_kept, lines = check(repository)
    assert not is_kept
    assert missing in lines

    tell(repository, f"- `{name}` and `Query.late`")
    is_kept, lines = check(repository)
    assert is_kept, lines
    assert missing not in lines


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("first: Int = 20", "first: Int = 50", "has changed defaultValue from 20 to 50"),
        ("PENDING DONE", "PENDING DONE LATE", "Status.LATE was added"),
    ],
    ids=["default", "enum value"],
)
def test_what_may_surprise_is_told_and_passes(repository: Path, old: str, new: str, said: str) -> None:
    """Somebody has to look at it."""
    change(repository, old, new)
    tell(repository, "- `Status.LATE`")

    is_kept, lines = check(repository)

    assert is_kept
    [line] = [line for line in lines if said in line]
    assert line.startswith("may surprise clients of v1.2.0: ")


def test_a_schema_that_cannot_be_read_fails_in_words(repository: Path) -> None:
    """As it is in the middle of a merge."""
    change(repository, "type Job {", "<<<<<<< HEAD type Job {")

    is_kept, [line] = check(repository)

    assert not is_kept
    assert line.startswith("schema.graphql: Syntax Error: ")


def test_the_newest_release_counts(repository: Path) -> None:
    """By version, before its own candidates, and only if it is behind HEAD."""
    change(repository, "type Job {", "type Job { late: Boolean")
    for tag in ("v1.10.0-rc.1", "v1.10.0", "v1.9.0", "vine"):
        release(repository, tag)
    git(repository, "checkout", "--quiet", "-b", "elsewhere")
    release(repository, "v2.0.0")
    git(repository, "checkout", "--quiet", "v1.10.0")

    assert (True, ["schema.graphql keeps all that v1.10.0 has"]) == check(repository)


def test_a_release_names_what_was_new_in_it(repository: Path) -> None:
    """Its entries move from Unreleased to a section of their own before the tag is there."""
    change(repository, "type Job {", "type Job { late: Boolean")
    tell(repository, "\n## [1.3.0]\n- `Job.late`")

    is_kept, lines = check(repository)

    assert is_kept, lines


def test_without_a_release_there_is_nothing_to_keep(tmp_path: Path) -> None:
    """Neither without git nor without a tag, nor with a release from before there was a schema."""
    no_tag = "schema.graphql: no release tag v… is reachable from HEAD: there is nothing to compare with"
    assert (True, [no_tag]) == check(tmp_path)

    git(tmp_path, "init", "--quiet")
    assert (True, [no_tag]) == check(tmp_path)

    release(tmp_path, "v0.1.0")
    no_schema = "schema.graphql: v0.1.0 has no schema.graphql: there is nothing to compare with"
    assert (True, [no_schema]) == check(tmp_path)


def test_without_git_there_is_nothing_to_keep(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive of the sources has none."""
    monkeypatch.setenv("PATH", "")

    is_kept, [line] = check(repository)

    assert is_kept
    assert "nothing to compare with" in line


def test_every_kind_of_change_is_explained() -> None:
    """A newer graphql-core may know more of them."""
    assert {*BreakingChangeType, *DangerousChangeType} == set(compatibility._WHOM)


def test_the_exit_code_tells_make(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """1, and what is wrong on stderr."""
    assert 0 == main(repository)

    change(repository, "id: ID! status: Status! }", "id: ID! }")

    assert 1 == main(repository)
    assert "breaks clients of v1.2.0: Field Job.status was removed" in capsys.readouterr().err


def test_make_check_runs_it() -> None:
    """And this repository's schema keeps what its own last release promised."""
    command = [sys.executable, "-m", "tests.compatibility"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert 0 == done.returncode, done.stderr
    assert "$(BIN)/python -m tests.compatibility" in (ROOT / "Makefile").read_text(encoding="utf-8")
