"""What the database itself remembers of each job: a trigger that only tests install writes down every change of its row.

The order is the order of the commits, since each writer holds the row's lock until it has committed.
"""

from itertools import pairwise
from uuid import UUID

import asyncpg

from models import JobStatus

_FINAL = {status.value for status in JobStatus if status.is_final}

INSTALL = """
    CREATE TABLE job_history (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, job_id uuid NOT NULL, transaction xid NOT NULL,
        attempt int NOT NULL, status text NOT NULL, next_index bigint NOT NULL, accepted bigint NOT NULL, rejected bigint NOT NULL,
        discarded bigint NOT NULL
    );
    CREATE FUNCTION keep_history() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
        BEGIN
            INSERT INTO job_history (job_id, transaction, attempt, status, next_index, accepted, rejected, discarded)
            VALUES (NEW.id, pg_current_xact_id()::xid, NEW.attempt, NEW.status, NEW.next_index, NEW.records_accepted, NEW.records_rejected,
                NEW.records_discarded);
            RETURN NULL;
        END
    $$;
    CREATE TRIGGER keep_history AFTER INSERT OR UPDATE ON job FOR EACH ROW EXECUTE FUNCTION keep_history();
    CREATE TABLE discard_history (
        seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, job_id uuid NOT NULL, transaction xid NOT NULL,
        attempt int NOT NULL, next_index bigint NOT NULL, finished boolean NOT NULL
    );
    CREATE FUNCTION keep_discard_history() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
        BEGIN
            INSERT INTO discard_history (job_id, transaction, attempt, next_index, finished)
            VALUES (NEW.job_id, pg_current_xact_id()::xid, NEW.attempt, NEW.next_index, NEW.finished_at IS NOT NULL);
            RETURN NULL;
        END
    $$;
    CREATE TRIGGER keep_discard_history AFTER INSERT OR UPDATE ON discard FOR EACH ROW EXECUTE FUNCTION keep_discard_history();
"""

_LOADING = ("attempt", "status", "next_index", "accepted", "rejected")
"""What stays for good when a job has ended."""


async def assert_history(connection: asyncpg.Connection, job_id: UUID) -> None:
    """Nothing of the job ever went back, nobody moved it with an old token or after its end, and every row of a batch
    was committed by the transaction that moved the checkpoint over it."""
    states = await connection.fetch("SELECT * FROM job_history WHERE job_id = $1 ORDER BY seq", job_id)
    assert states
    for state in states:
        assert state["accepted"] + state["rejected"] == state["next_index"], state
    for before, after in pairwise(states):
        if before["status"] in _FINAL:
            assert [before[name] for name in _LOADING] == [after[name] for name in _LOADING], (before, after)
        else:
            assert 0 == after["discarded"], (before, after)
        for counter in ("attempt", "next_index", "accepted", "rejected", "discarded"):
            assert before[counter] <= after[counter], (counter, before, after)
        if before["next_index"] < after["next_index"]:
            assert "PROCESSING" == before["status"] == after["status"], (before, after)
            assert before["attempt"] == after["attempt"], (before, after)
    for table, column in (("record", '"index"'), ("record_error", "record_index")):
        strangers = await connection.fetch(_STRANGERS.format(table=table, column=column), job_id)
        assert [] == strangers, (table, strangers)


_STRANGERS = """
    WITH batch AS (
        SELECT transaction, lag(next_index, 1, 0::bigint) OVER (ORDER BY seq) AS first, next_index AS behind
          FROM job_history WHERE job_id = $1
    ), written AS (
        SELECT xmin AS transaction, min({column}) AS first, max({column}) + 1 AS behind
          FROM {table} WHERE job_id = $1 GROUP BY xmin
    )
    SELECT * FROM written WHERE NOT EXISTS (
        SELECT FROM batch
         WHERE batch.transaction = written.transaction AND batch.first <= written.first AND written.behind <= batch.behind
    ) LIMIT 5
"""
"""Rows that another transaction wrote than the one that moved the checkpoint over them."""
