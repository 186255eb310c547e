"""PostgreSQL refuses to run as root: as root, it runs as the owner of its data folder, or as `nobody`."""

import os
import pwd
import shutil
from pathlib import Path
from signal import Signals

from sluice.errors import StartFailed

_USER = "nobody"
_WHAT_TO_DO = "run as a normal user, or set SLUICE_DATABASE_URL to a server of yours"
# Linux capability numbers. The first ones are what it takes to make another user's folder, work in it and become that
# user: containers may run a root that lacks them. Either of the second lets a process walk through folders that are
# closed to it, such as a temporary folder of root's (mode 0700) on the way to the data.
_NEEDED_CAPABILITIES = {"chown": 0, "dac_override": 1, "setgid": 6, "setuid": 7}
_SETPCAP = 8
_SEARCH_CAPABILITIES = {"dac_read_search": 2, "dac_override": 1}


def prefix(folder: Path, death_signal: Signals) -> tuple[str, ...]:
    """What to put before a command that works in `folder` (absolute, existing): nothing unless we are root.

    Gives an empty folder of root's to the unprivileged user; touches nothing above it. Raises StartFailed.
    """
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise StartFailed(
            "PostgreSQL cannot run as root, and `setpriv` (of util-linux) is not here to drop the rights: "
            f"{_WHAT_TO_DO}"
        )
    if missing := _missing_rights():
        raise StartFailed(
            f"PostgreSQL cannot run as root, and this root lacks the rights ({missing}) to run it "
            f"as another user: {_WHAT_TO_DO}"
        )
    uid, gid = _owner(folder)
    return (
        setpriv,
        f"--reuid={uid}",
        f"--regid={gid}",
        "--clear-groups",
        *_search_option(),
        f"--pdeathsig={death_signal.name.removeprefix('SIG')}",  # a tie made before is cut by the change of user
        "--",
    )


def _owner(folder: Path) -> tuple[int, int]:
    """The user and group to run as, who own `folder` from now on."""
    stat = folder.stat()
    if stat.st_uid != 0:
        return stat.st_uid, stat.st_gid
    try:
        user = pwd.getpwnam(_USER)
    except KeyError:
        raise StartFailed(
            f"PostgreSQL cannot run as root, and there is no user `{_USER}` to run it as: {_WHAT_TO_DO}"
        ) from None
    os.chown(folder, user.pw_uid, user.pw_gid)
    return user.pw_uid, user.pw_gid


def _missing_rights() -> str:
    held = _held_capabilities()
    return ", ".join(name for name, number in _NEEDED_CAPABILITIES.items() if not held >> number & 1)


def _search_option() -> tuple[str, ...]:
    held = _held_capabilities()
    for name, number in _SEARCH_CAPABILITIES.items():
        if held >> number & 1:
            return (*_access_option(held), f"--inh-caps=+{name}", f"--ambient-caps=+{name}")
    return ()


def _access_option(held: int) -> tuple[str, ...]:
    # initdb looks for its binaries with access(), which leaves the capabilities of a user other than root out of
    # account, unless this bit is set. Nothing else changes: what is exec'd has the ambient capabilities only.
    return ("--securebits=+no_setuid_fixup",) if held >> _SETPCAP & 1 else ()


def _held_capabilities() -> int:
    """The permitted set of this process, a bit for each."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapPrm:"):
            return int(line.split()[1], 16)
    return 0
