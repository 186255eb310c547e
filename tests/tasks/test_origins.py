"""The origins file: which records a retry is made for, in the order of the parent's file, and whose it is."""

import os
import time
from array import array
from pathlib import Path

import pytest

from models import Job, RecordError, RetriedRecord
from settings import settings
from tasks.origins import PAGE_RECORDS, count_outstanding, outstanding, snapshot
from tasks.orphans import Orphans
from tasks.storage.draft import Draft
from tasks.storage.local import LocalStore
from tests.factories import make_job
from tests.graph.rows import load

pytestmark = pytest.mark.usefixtures("database")


async def _origins(job: Job, store: LocalStore) -> list[int]:
    draft = Draft(store)
    stored = await snapshot(job, draft, by_place=False)
    draft.kept = True
    await draft.close()
    return array("q", store.path(stored.key).read_bytes()).tolist()


async def test_what_no_retry_has_loaded_is_outstanding(files: Path) -> None:
    """Each record once, however many errors it has, over more than one page; a retry's by where it came from."""
    count = PAGE_RECORDS + 20
    root = await make_job()
    await load(root, [], [(index, field, "REQUIRED") for index in range(count) for field in ("a", "b")])
    retry = await make_job(parent_id=root.id, root_id=root.id)
    await load(retry, [], [(index, "a", "REQUIRED") for index in range(3)])
    await RetriedRecord.create(root_id=root.id, origin_index=7, job_id=retry.id, index=9)
    for index, origin in enumerate((50, 7, None)):
        await RecordError.filter(job_id=retry.id, record_index=index).update(origin_index=origin)

    assert [n for n in range(count) if n != 7] == await _origins(root, LocalStore(files))
    assert [50] == await _origins(retry, LocalStore(files))
    assert [1, 0] == await count_outstanding([retry.id, root.id])
    assert [[50]] == [[record.origin for record in page] async for page in outstanding(retry)]


async def test_a_draft_that_is_not_kept_leaves_nothing(files: Path) -> None:
    """Begun, or whole."""
    begun, whole = Draft(LocalStore(files)), Draft(LocalStore(files))
    await begun.write(b"x" * 3_000_000)
    stored = await whole.commit()
    assert {stored.key} < {file.name for file in files.iterdir()}

    for draft in (begun, whole):
        await draft.close()
        await draft.close()

    assert [] == list(files.iterdir())


async def test_the_origins_of_a_retry_are_no_orphan(files: Path) -> None:
    """Nor is what somebody still writes; what nobody knows is one."""
    store = LocalStore(files)
    drafts = {name: Draft(store) for name in ("submitted", "origins", "written", "orphan")}
    keys = {name: (await draft.commit()).key for name, draft in drafts.items()}
    for name in ("submitted", "origins", "orphan"):
        drafts[name].kept = True
        await drafts[name].close()
    root = await make_job(storage_key=keys["submitted"])
    await make_job(parent_id=root.id, root_id=root.id, origins_key=keys["origins"])
    old = time.time() - settings.orphan_seconds - 10
    for file in files.iterdir():
        os.utime(file, (old, old))

    await Orphans(store).remove()

    assert {keys[name] for name in ("submitted", "origins", "written")} == {f.name for f in files.iterdir()}
    await drafts["written"].close()
