"""The second factor: codes that count once, and codes to recover with."""

from __future__ import annotations

import time
from threading import Barrier, Thread

import pyotp
import pytest
from sqlmodel import select

from hub.access import factors, users
from hub.errors import Refused
from hub.hub import Hub
from hub.store import FactorRow, RecoveryRow, UserRow

NOW = 1_800_000_015
"""In the middle of a step of 30 seconds."""


@pytest.fixture
def mara(hub: Hub) -> UserRow:
    """Somebody with an account."""
    with hub.store.write() as session:
        return users.add_user(session, "mara@example.com", "ops", name="Mara")


@pytest.fixture
def at(hub: Hub, monkeypatch: pytest.MonkeyPatch):
    """Return a function that sets wall time to so many seconds after NOW."""
    from datetime import UTC, datetime

    def stand(seconds: int) -> None:
        moment = datetime.fromtimestamp(NOW + seconds, UTC)
        monkeypatch.setattr(hub.store.clock, "wall", lambda: moment)

    stand(0)
    return stand


def set_up(hub: Hub, mara: UserRow) -> tuple[pyotp.TOTP, list[str]]:
    """Turn the factor on with the code of NOW; return the app and the recovery codes."""
    with hub.store.write() as session:
        made = factors.begin(session, hub.keys, mara, "Rhine: Valley")
        totp = pyotp.TOTP(made.secret)
        codes = factors.confirm(session, hub.keys, mara, totp.at(NOW))
    return totp, codes


def verify(hub: Hub, mara: UserRow, code: str) -> str:
    with hub.store.write() as session:
        return factors.verify(session, hub.keys, mara.id, code)


def test_the_secret_is_sealed_and_an_app_can_read_its_address(
    hub: Hub, mara: UserRow, at: object
) -> None:
    with hub.store.write() as session:
        made = factors.begin(session, hub.keys, mara, "Rhine: Valley")
    with hub.store.read() as session:
        row = session.get_one(FactorRow, mara.id)
    assert made.secret not in row.secret
    read = pyotp.parse_uri(made.uri)
    assert (read.secret, read.name) == (made.secret, "mara@example.com")


def test_nothing_is_asked_for_before_a_code_confirms_it(
    hub: Hub, mara: UserRow, at: object
) -> None:
    with hub.store.write() as session:
        factors.begin(session, hub.keys, mara, "Hub")
        with pytest.raises(Refused, match="not right"):
            factors.confirm(session, hub.keys, mara, "000000")
        assert not factors.is_on(session, mara.id)


def test_a_code_is_taken_once(hub: Hub, mara: UserRow, at) -> None:
    totp, _ = set_up(hub, mara)
    assert verify(hub, mara, totp.at(NOW)) == "", "the code that turned it on is used up"
    at(30)
    code = totp.at(NOW + 30)
    assert verify(hub, mara, f"{code[:3]} {code[3:]}") == "app"
    assert verify(hub, mara, code) == ""


def test_a_clock_may_be_wrong_by_a_step_and_no_more(hub: Hub, mara: UserRow, at) -> None:
    totp, _ = set_up(hub, mara)
    at(600)
    assert verify(hub, mara, totp.at(NOW + 600 - 60)) == ""
    assert verify(hub, mara, totp.at(NOW + 600 + 60)) == ""
    assert verify(hub, mara, totp.at(NOW + 600 - 30)) == "app"
    assert verify(hub, mara, totp.at(NOW + 600 + 30)) == "app"
    assert verify(hub, mara, totp.at(NOW + 600)) == "", "older than the last one that was taken"


def test_of_two_requests_with_one_code_at_the_same_moment_one_gets_in(
    hub: Hub, mara: UserRow, at
) -> None:
    totp, codes = set_up(hub, mara)
    at(30)
    for code in (totp.at(NOW + 30), codes[0]):
        gate, found = Barrier(4), list[str]()

        def enter(code: str = code, gate: Barrier = gate, found: list[str] = found) -> None:
            gate.wait()
            found.append(verify(hub, mara, code))

        threads = [Thread(target=enter) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len([one for one in found if one]) == 1


def test_a_recovery_code_works_once_however_it_is_typed(hub: Hub, mara: UserRow, at) -> None:
    _, codes = set_up(hub, mara)
    assert len(set(codes)) == factors.RECOVERY
    assert verify(hub, mara, codes[3].upper().replace("-", " ")) == "recovery"
    assert verify(hub, mara, codes[3]) == ""
    with hub.store.read() as session:
        assert factors.recovery_left(session, mara.id) == factors.RECOVERY - 1
        kept = {row.sha256 for row in session.exec(select(RecoveryRow))}
    assert not kept & {factors.plain(code) for code in codes}


def test_nobody_gets_in_with_somebody_elses_code(hub: Hub, mara: UserRow, at) -> None:
    totp, codes = set_up(hub, mara)
    at(30)
    with hub.store.write() as session:
        other = users.add_user(session, "nino@example.com", "ops")
    assert verify(hub, other, totp.at(NOW + 30)) == ""
    assert verify(hub, other, codes[0]) == ""


@pytest.mark.parametrize("code", ["", "abc", "１２３４５６", "12345", "0" * 100, "\x00"])
def test_what_is_no_code_is_wrong_and_nothing_worse(hub: Hub, mara: UserRow, at, code: str) -> None:
    set_up(hub, mara)
    assert verify(hub, mara, code) == ""


def test_a_code_of_the_real_clock_is_taken(hub: Hub, mara: UserRow) -> None:
    with hub.store.write() as session:
        made = factors.begin(session, hub.keys, mara, "Hub")
        factors.confirm(session, hub.keys, mara, pyotp.TOTP(made.secret).at(time.time()))
        assert factors.is_on(session, mara.id)
