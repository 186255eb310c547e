"""`sluice partner create NAME`: a new partner and its API key."""

from tortoise.context import TortoiseContext
from tortoise.exceptions import OperationalError

from models import Partner
from settings import tortoise_config
from sluice.database import reachable
from sluice.errors import SluiceError
from tasks.pipeline.copy_text import is_storable

_NAME_CHARACTERS = 200


async def create(database_url: str, name: str) -> str:
    """Saves a partner called `name`; its API key, which nobody can read again. Raises SluiceError."""
    if not 1 <= len(name.strip()) <= _NAME_CHARACTERS or not is_storable(name) or not name.isprintable():
        raise SluiceError(f"a partner's name has 1 to {_NAME_CHARACTERS} printable characters")
    async with reachable(database_url), TortoiseContext() as tortoise:
        await tortoise.init(config=tortoise_config(database_url))
        try:
            _, key = await Partner.create_with_key(name.strip())
        except OperationalError as error:
            raise SluiceError(
                f"the partner was not saved ({error}): has `sluice migrate` been run?"
            ) from None
        return key
