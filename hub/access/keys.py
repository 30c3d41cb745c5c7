"""The keys of the hub: secrets at rest, cookies and signed links."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from itsdangerous import URLSafeTimedSerializer

from hub.errors import HubError
from hub.settings import Settings
from hub.store import SettingRow, Store
from hub.store.once import insert_once


class WrongKeys(HubError):
    """Say that this host has other keys than the database was written with."""


class Keys:
    """Encrypt and sign with one list of Fernet keys; the first writes, all of them read."""

    def __init__(self, keys: list[str]) -> None:
        self._keys = keys
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    @property
    def cookie(self) -> str:
        """The secret that signs session cookies."""
        return derive(self._keys[0], "cookie")

    @property
    def tracking(self) -> str:
        """The secret behind tracking links; the oldest key's, so that rotation breaks no link."""
        return derive(self._keys[-1], "tracking")

    @property
    def pseudonym(self) -> str:
        """The secret behind pseudonyms in records; the oldest key's, so that they stay the same."""
        return derive(self._keys[-1], "pseudonym")

    def seal(self, text: str) -> str:
        """Encrypt `text` for the database."""
        return self._fernet.encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """Decrypt what `seal` made; raise `WrongKeys` when these keys did not make it."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise WrongKeys("a stored secret was written with other keys; set HUB_KEYS") from error

    def shut(self, content: bytes) -> bytes:
        """Encrypt `content` for the database."""
        return self._fernet.encrypt(content)

    def opened(self, shut: bytes) -> bytes:
        """Decrypt what `shut` made; raise `WrongKeys` when these keys did not make it."""
        try:
            return self._fernet.decrypt(shut)
        except InvalidToken as error:
            raise WrongKeys("a stored text was written with other keys; set HUB_KEYS") from error

    def signer(self, purpose: str) -> URLSafeTimedSerializer:
        """Return a signer of short-lived texts that no other purpose accepts."""
        return URLSafeTimedSerializer(derive(self._keys[0], purpose), salt=purpose)

    def print(self) -> str:
        """Return a fingerprint by which two hosts can tell that they share a key."""
        return derive(self._keys[-1], "fingerprint")[:16]


def derive(key: str, purpose: str) -> str:
    """Return a secret of its own for each purpose."""
    return hashlib.sha256(f"{purpose}:{key}".encode()).hexdigest()


def load_keys(settings: Settings) -> Keys:
    """Return the keys from HUB_KEYS or the file `keys` in the directory, made when absent."""
    if settings.keys:
        return Keys([key.strip() for key in settings.keys.split(",") if key.strip()])
    path = settings.directory / "keys"
    make_keys(path)
    return Keys(path.read_text().split())


def make_keys(path: Path) -> None:
    """Write a fresh key readable by its owner only, unless another process was first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"keys.{os.getpid()}")
    if path.exists():
        return
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(Fernet.generate_key().decode() + "\n")
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def check_keys(store: Store, keys: Keys) -> None:
    """Remember the keys' fingerprint, or raise `WrongKeys` when it is another one."""
    with store.read() as session:
        row = session.get(SettingRow, "keys")
    if row is None:
        with store.write() as session:
            insert_once(session, SettingRow(name="keys", value={"print": keys.print()}))
            row = session.get_one(SettingRow, "keys")
    if row.value["print"] != keys.print():
        raise WrongKeys(
            "the database was written with other keys; copy HUB_KEYS (or the file `keys`) "
            "from the host that wrote it"
        )
