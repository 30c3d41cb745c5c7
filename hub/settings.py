"""Where things lie and how they are reached: read once from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from hub import address


class Settings(BaseModel):
    """All that differs between one machine and many; every field is a `HUB_...` variable."""

    model_config = ConfigDict(frozen=True)

    directory: Path
    database_url: str
    redis_url: str
    files_url: str
    keys: str = ""
    """Comma-separated Fernet keys, newest first; empty: `keys` in the directory, made if absent."""
    public_url: str = address.UNKNOWN
    """Where people reach the pages; not told: where the hub of this directory says it answers."""
    live_url: str = "http://127.0.0.1:8001"
    map_tiles: str = ""
    """Raster tile template with {z}/{x}/{y}; empty: a quiet plain ground."""
    map_attribution: str = ""
    map_downloads: str = ""
    """Where extracts of OpenStreetMap are fetched, with {region} in it; empty: from files only."""
    proxies: int = 0
    """How many reverse proxies in front may be believed for X-Forwarded-*."""
    fast_seconds: float = 60
    """Hard limit of one piece of work inside the hub, after which its worker is killed; 0: none."""
    outward_seconds: float = 120
    """Hard limit of one call to another system."""
    heavy_seconds: float = 900
    """Hard limit of one optimisation or import."""
    worker_megabytes: int = 4096
    """Address space of the process that does outward or heavy work; 0: no bound."""

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Return the settings of this process; relative paths count from the working directory."""
        directory = Path(environ.get("HUB_DIRECTORY", "hub-data")).absolute()
        values: dict[str, object] = {
            "directory": directory,
            "database_url": f"sqlite:///{directory / 'hub.db'}",
            "redis_url": f"unix://{runtime_directory(directory) / 'valkey.sock'}",
            "files_url": f"file://{directory / 'files'}",
        }
        for name in cls.model_fields:
            found = environ.get(f"HUB_{name.upper()}")
            if found and name != "directory":
                values[name] = found
        if "public_url" not in values:
            values["public_url"] = address.running(directory) or address.UNKNOWN
        return cls.model_validate(values)

    @property
    def maps(self) -> Path:
        """The folder of the loaded maps."""
        return self.directory / "maps"

    def environ(self) -> dict[str, str]:
        """Return the variables that give another process the same settings."""
        return {f"HUB_{name.upper()}": str(getattr(self, name)) for name in type(self).model_fields}


def runtime_directory(directory: Path) -> Path:
    """Return a short private folder for sockets: a socket's path may have 104 bytes at most."""
    if len(str(directory)) <= 80:
        return directory
    import hashlib
    import tempfile

    short = hashlib.sha256(str(directory).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"hub-{short}"
