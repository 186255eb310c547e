from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.contrib.postgres.indexes import PostgreSQLIndex
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('models', '0001_initial')]

    initial = False

    operations = [
        ops.RemoveIndex(
            model_name='Job',
            name='job_pending',
            fields=None,
        ),
        ops.RemoveIndex(
            model_name='Job',
            name='job_leased',
            fields=None,
        ),
        ops.AddIndex(
            model_name='Job',
            index=PostgreSQLIndex(fields=['partner_id'], name='job_running', condition={'status': 'PROCESSING'}),
        ),
        # Unfinished jobs by partner, for `Job.claim_next`, whose words these conditions are; Tortoise knows only "=" there.
        ops.RunSQL(
            "CREATE INDEX job_open ON job (partner_id, id) WHERE status IN ('PENDING', 'PROCESSING')",
            'DROP INDEX job_open',
        ),
        ops.RunSQL(
            "CREATE INDEX job_open_small ON job (partner_id, id)"
            " WHERE status IN ('PENDING', 'PROCESSING') AND size_bytes <= 4194304",
            'DROP INDEX job_open_small',
        ),
        ops.AddField(
            model_name='Partner',
            name='served_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
    ]
