"""What a partner is told about itself and its server."""

import httpx

from models import RecordSchema
from tests.graph.api import MAX_UPLOAD_BYTES, Owner, codes, data, id_of, submission, submit


async def test_the_largest_file_is_told_before_it_is_sent(
    app_client: httpx.AsyncClient, partner: Owner, schema: RecordSchema
) -> None:
    """A file of so many bytes is taken, and one byte more is refused; it is this server's setting, not the default."""
    query = (
        "query ($id: ID!) { viewer { maxUploadBytes } node(id: $id) { ... on Partner { maxUploadBytes } } }"
    )
    found = await data(app_client, partner, query, id=id_of(partner.row))
    most = int(found["viewer"]["maxUploadBytes"])

    taken = (await submit(app_client, partner, submission(id_of(schema), b"x" * most))).json()
    refused = (await submit(app_client, partner, submission(id_of(schema), b"x" * (most + 1)))).json()

    assert {"maxUploadBytes": str(MAX_UPLOAD_BYTES)} == found["viewer"] == found["node"]
    assert str(most) == taken["data"]["submitFile"]["job"]["sizeBytes"]
    assert ["PAYLOAD_TOO_LARGE"] == codes(refused)
