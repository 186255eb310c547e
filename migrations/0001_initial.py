from uuid import uuid4

from orjson import loads
from tortoise import fields, migrations
from tortoise.contrib.postgres.indexes import PostgreSQLIndex
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise.migrations import operations as ops
from uuid6 import uuid7

from models.job import JobStatus


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name='Partner',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('name', fields.CharField(max_length=200)),
                ('key_prefix', fields.CharField(unique=True, max_length=16)),
                ('key_hash', fields.BinaryField()),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=True)),
            ],
            options={'table': 'partner', 'app': 'models', 'pk_attr': 'id', 'table_description': 'A company that sends files. Everything else belongs to exactly one partner.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Record',
            fields=[
                ('job_id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('index', fields.BigIntField()),
                ('data', fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
            ],
            options={'table': 'record', 'app': 'models', 'pk_attr': 'job_id', 'table_description': "An accepted record. The table's primary key is (job_id, index), which Tortoise cannot say: the migration does."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='RecordError',
            fields=[
                ('job_id', fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ('record_index', fields.BigIntField()),
                ('seq', fields.IntField()),
                ('line', fields.BigIntField(null=True)),
                ('byte_offset', fields.BigIntField()),
                ('field', fields.TextField(null=True, unique=False)),
                ('code', fields.CharField(max_length=32)),
                ('message', fields.TextField(unique=False)),
                ('raw_value', fields.TextField(null=True, unique=False)),
            ],
            options={'table': 'record_error', 'app': 'models', 'pk_attr': 'job_id', 'table_description': "One problem of one record. The table's primary key is (job_id, record_index, seq): the migration makes it."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='RecordSchema',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('partner', fields.ForeignKeyField('models.Partner', source_field='partner_id', db_constraint=True, to_field='id', related_name='record_schemas', on_delete=OnDelete.RESTRICT)),
                ('name', fields.CharField(max_length=200)),
                ('version', fields.IntField()),
                ('definition', fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=True)),
            ],
            options={'table': 'record_schema', 'app': 'models', 'unique_together': (('partner', 'name', 'version'),), 'pk_attr': 'id', 'table_description': 'One version of a schema. `definition` is what `tasks.pipeline.definition` parses.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Job',
            fields=[
                ('id', fields.UUIDField(primary_key=True, default=uuid7, unique=True, db_index=True)),
                ('partner', fields.ForeignKeyField('models.Partner', source_field='partner_id', db_constraint=True, to_field='id', related_name='jobs', on_delete=OnDelete.RESTRICT)),
                ('record_schema', fields.ForeignKeyField('models.RecordSchema', source_field='record_schema_id', db_constraint=True, to_field='id', related_name='jobs', on_delete=OnDelete.RESTRICT)),
                ('status', fields.CharEnumField(default=JobStatus.PENDING, description='', enum_type=JobStatus, max_length=16)),
                ('filename', fields.CharField(max_length=255)),
                ('format', fields.CharField(max_length=16)),
                ('size_bytes', fields.BigIntField()),
                ('sha256', fields.CharField(max_length=64)),
                ('storage_key', fields.CharField(max_length=200)),
                ('idempotency_key', fields.CharField(null=True, max_length=200)),
                ('attempt', fields.IntField(default=0)),
                ('crashes', fields.IntField(default=0)),
                ('lease_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('next_index', fields.BigIntField(default=0)),
                ('next_offset', fields.BigIntField(default=0)),
                ('next_line', fields.BigIntField(default=1)),
                ('bytes_read', fields.BigIntField(default=0)),
                ('records_accepted', fields.BigIntField(default=0)),
                ('records_rejected', fields.BigIntField(default=0)),
                ('error_counts', fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
                ('failure_code', fields.CharField(null=True, max_length=32)),
                ('failure_message', fields.TextField(null=True, unique=False)),
                ('failure_record_index', fields.BigIntField(null=True)),
                ('failure_line', fields.BigIntField(null=True)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=True)),
                ('started_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('finished_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'job', 'app': 'models', 'unique_together': (('partner', 'idempotency_key'),), 'indexes': [PostgreSQLIndex(fields=['partner_id', 'id'], name='job_by_partner'), PostgreSQLIndex(fields=['created_at'], name='job_pending', condition={'status': 'PENDING'}), PostgreSQLIndex(fields=['lease_until'], name='job_leased', condition={'status': 'PROCESSING'})], 'pk_attr': 'id', 'table_description': 'One submitted file. Its counters and its checkpoint move in the transaction that loads a batch (`advance`).'},
            bases=['Model'],
        ),
        # Tortoise knows no composite keys. These two are also the second lock behind the fence in tasks/load.py:
        # a record that would be loaded twice is an error, never a double.
        ops.RunSQL(
            'ALTER TABLE record DROP CONSTRAINT record_pkey, ADD PRIMARY KEY (job_id, index)',
            'ALTER TABLE record DROP CONSTRAINT record_pkey, ADD PRIMARY KEY (job_id)',
        ),
        ops.RunSQL(
            'ALTER TABLE record_error DROP CONSTRAINT record_error_pkey, ADD PRIMARY KEY (job_id, record_index, seq)',
            'ALTER TABLE record_error DROP CONSTRAINT record_error_pkey, ADD PRIMARY KEY (job_id)',
        ),
    ]
