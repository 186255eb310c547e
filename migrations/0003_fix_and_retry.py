from tortoise import migrations
from tortoise.migrations import operations as ops
from models.job import OnFailure
from tortoise.contrib.postgres.indexes import PostgreSQLIndex
from tortoise.fields.base import OnDelete
from uuid import uuid4
from tortoise import fields


class Migration(migrations.Migration):
    dependencies = [("models", "0002_fair_claims")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Discard",
            fields=[
                ('job_id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("attempt", fields.IntField(default=0)),
                ("lease_until", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("next_index", fields.BigIntField(default=0)),
                ("requested_at", fields.DatetimeField(auto_now=False, auto_now_add=True)),
                ("started_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("finished_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "discard",
                "app": "models",
                "pk_attr": "job_id",
                "table_description": "What a job has loaded is deleted, in chunks; there is one for a job at most.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RetriedRecord",
            fields=[
                ("root_id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("origin_index", fields.BigIntField()),
                ("job_id", fields.UUIDField()),
                ("index", fields.BigIntField()),
            ],
            options={
                "table": "retried_record",
                "app": "models",
                "pk_attr": "root_id",
                "table_description": "A record that its first job rejected and a retry has loaded.",
            },
            bases=["Model"],
        ),
        # The defaults are the database's, too: there are jobs already, and an API of the version before may still make some.
        ops.AddField(
            model_name="Job",
            name="dry_run",
            field=fields.BooleanField(default=False, db_default=False),
        ),
        ops.AddField(
            model_name="Job",
            name="dry_run_job",
            field=fields.OneToOneField(
                "models.Job",
                source_field="dry_run_job_id",
                null=True,
                db_constraint=True,
                to_field="id",
                related_name="commit_job",
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.AddField(
            model_name="Job",
            name="on_failure",
            field=fields.CharEnumField(
                default=OnFailure.KEEP,
                db_default=OnFailure.KEEP,
                description="",
                enum_type=OnFailure,
                max_length=16,
            ),
        ),
        ops.AddField(
            model_name="Job",
            name="origins_key",
            field=fields.CharField(null=True, max_length=200),
        ),
        ops.AddField(
            model_name="Job",
            name="parent",
            field=fields.ForeignKeyField(
                "models.Job",
                source_field="parent_id",
                null=True,
                db_constraint=True,
                to_field="id",
                related_name="retries",
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.AddField(
            model_name="Job",
            name="records_discarded",
            field=fields.BigIntField(default=0, db_default=0),
        ),
        ops.AddField(
            model_name="Job",
            name="records_retried",
            field=fields.BigIntField(default=0, db_default=0),
        ),
        ops.AddField(
            model_name="Job",
            name="retries_version",
            field=fields.BigIntField(default=0, db_default=0),
        ),
        ops.AddField(
            model_name="Job",
            name="root_id",
            field=fields.UUIDField(null=True),
        ),
        ops.AddIndex(
            model_name="Job",
            index=PostgreSQLIndex(fields=["parent_id", "id"], name="job_by_parent"),
        ),
        ops.AddField(
            model_name="Record",
            name="origin_index",
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name="RecordError",
            name="byte_length",
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name="RecordError",
            name="origin_index",
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name="RecordError",
            name="source",
            field=fields.TextField(null=True, unique=False),
        ),
        # Tortoise knows no composite keys. This one lets one retry load a record, whatever others try at the same time.
        ops.RunSQL(
            "ALTER TABLE retried_record DROP CONSTRAINT retried_record_pkey, ADD PRIMARY KEY (root_id, origin_index)",
            "ALTER TABLE retried_record DROP CONSTRAINT retried_record_pkey, ADD PRIMARY KEY (root_id)",
        ),
        ops.RunSQL(
            'ALTER TABLE discard ADD FOREIGN KEY (job_id) REFERENCES job (id) ON DELETE RESTRICT',
            'ALTER TABLE discard DROP CONSTRAINT discard_job_id_fkey',
        ),
        # For `Discard.claim_next`, whose words this condition is.
        ops.RunSQL(
            "CREATE INDEX discard_open ON discard (requested_at) WHERE finished_at IS NULL",
            "DROP INDEX discard_open",
        ),
    ]
