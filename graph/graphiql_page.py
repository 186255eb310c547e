"""What a browser gets on /graphql: GraphiQL. `make page` builds it into graph/graphiql/dist."""

from pathlib import Path

from graph.page import NOTHING_ELSE, Page
from graph.plain_page import WITHOUT_GRAPHIQL

BUILT = Path(__file__).parent / "graphiql" / "dist"
FILES_PATH = "/graphql/page/{name}"

# Of this server alone. The editor makes style elements as it goes, and has small fonts and images as data: in its styles.
_POLICY = (
    f"{NOTHING_ELSE}; script-src 'self'; worker-src 'self'; connect-src 'self'; font-src 'self' data:; "
    "img-src 'self' data:; style-src 'self' 'unsafe-inline'"
)


def load(folder: Path = BUILT) -> Page:
    """GraphiQL as it was built; the plain page when it was not."""
    return Page.load(folder, folder, {"content-security-policy": _POLICY}, WITHOUT_GRAPHIQL)
