"""Which of the media types that we can answer in a client likes best."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"
EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the header Accept says."""

    json: str
    """The JSON media type that is liked better; application/json when it does not say."""
    takes_events: bool
    """Whether a subscription's events can be sent."""
    wants_events: bool
    """Whether even a query's result should be an event: nothing of JSON is liked as much."""

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Self:
        """Of a request."""
        liking = {JSON: 0.0, GRAPHQL_JSON: 0.0, EVENT_STREAM: 0.0}
        for offer in headers.get("accept", "").lower().split(","):
            name, *parameters = [part.strip() for part in offer.split(";")]
            if name in liking:
                liking[name] = max(liking[name], _quality(parameters))
        is_newer = liking[GRAPHQL_JSON] > 0 and liking[GRAPHQL_JSON] >= liking[JSON]
        events = liking.pop(EVENT_STREAM)
        return cls(GRAPHQL_JSON if is_newer else JSON, events > 0, events > max(liking.values()))


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0
