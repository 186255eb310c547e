"""What a browser gets on /: the dashboard. `make page` builds it into dashboard/dist."""

from pathlib import Path

from graph.page import NOTHING_ELSE, Page
from graph.plain_page import WITHOUT_DASHBOARD

BUILT = Path(__file__).parent.parent / "dashboard" / "dist"
PATH = "/"
FILES_PATH = "/assets/{name}"

# Of this server alone, and no text becomes markup. `connect-src 'self'` is enough for its WebSocket, too: Safari was the last
# to see it so, in 2022. A download is a link that a person follows, which no policy forbids.
_POLICY = (
    f"{NOTHING_ELSE}; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "require-trusted-types-for 'script'"
)
# It writes to the clipboard; all else that a browser may grant is for nobody on this page. Names that a browser does not
# know are a warning in its console, so only those that Chromium knows.
_DENIED = (
    "accelerometer", "autoplay", "camera", "clipboard-read", "display-capture", "encrypted-media", "fullscreen",
    "gamepad", "geolocation", "gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer", "microphone", "midi",
    "payment", "picture-in-picture", "publickey-credentials-create", "publickey-credentials-get", "screen-wake-lock",
    "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip
_HEADERS = {
    "content-security-policy": _POLICY,
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": ", ".join(f"{feature}=()" for feature in _DENIED),
}


def is_built(folder: Path = BUILT) -> bool:
    """Whether a browser will get the dashboard, and not the page that says what to do about it."""
    return (folder / "index.html").exists()


def load(folder: Path = BUILT) -> Page:
    """The dashboard as it was built; a page that says what to do when it was not."""
    return Page.load(folder, folder / "assets", _HEADERS, WITHOUT_DASHBOARD)
