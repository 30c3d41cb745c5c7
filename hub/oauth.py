"""Consent pages and token calls of the ordinary kind, through Authlib on the hub's own transport.

RFC 6749 with PKCE (RFC 7636). A connector of the trait `OAuth` keeps one `TokenClient` and hands
its three methods on to it; what a service does otherwise it does itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, SecretStr

from hub.errors import HubError, Rejected, Unauthorized
from hub.http import TIMEOUT, GuardedAdapter, calling, host_of, judge, sentence
from hub.nouns import Callback, Connect, Grant
from hub.redaction import cover, redact

if TYPE_CHECKING:
    import requests

KEPT = "hub_kept"
Kept = Annotated[SecretStr, Field(json_schema_extra={KEPT: True})]
"""A secret in a `Config` that a consent fills in; no form asks for it."""
NO_SECRET = SecretStr("")
ENDED = {
    "invalid_grant": "takes this consent as ended or used up",
    "invalid_client": "does not know this client id with this secret",
    "unauthorized_client": "does not let this client connect in this way",
    "access_denied": "was told not to give access",
}
"""What an `error` (RFC 6749, 5.2) that only a person can mend says."""
LONGEST_LIFE = 10 * 365 * 86_400


@dataclass(frozen=True)
class TokenClient:
    """One service's consent page and token address; it keeps no token.

    Failures come in the hub's words: `Unauthorized` where a person has to connect anew, `Retry`
    for 429 and 5xx, `Unknown` for a lost answer, `Rejected` for the rest. None of them, nor a
    `repr`, holds a token, a code or the secret.
    """

    authorize_url: str
    token_url: str
    client_id: str
    client_secret: SecretStr = NO_SECRET
    """Empty for a public client, which PKCE alone protects."""
    scopes: tuple[str, ...] = ()
    access: str = "access_token"
    """The setting that takes the access token."""
    renews: str = "refresh_token"
    """The setting that takes the refresh token."""
    more: dict[str, str] = field(default_factory=dict)
    """What the address of the consent page needs besides, such as `prompt`."""
    told: dict[str, str] = field(default_factory=dict)
    """What the exchange of a code has to say besides."""
    in_form: bool = False
    """Whether id and secret go in the form (`client_secret_post`), not as Basic credentials."""

    def address(self, connect: Connect) -> str:
        """Return the address of the consent page; makes no call."""
        with self._session() as made:
            url, _ = made.create_authorization_url(
                self.authorize_url,
                state=connect.state,
                redirect_uri=connect.redirect_url,
                code_challenge=connect.challenge,
                code_challenge_method="S256",
                **self.more,
            )
        return str(url)

    def exchange(self, callback: Callback) -> Grant:
        """Turn the code of a callback into a grant."""
        hidden = (callback.code, callback.verifier)

        def call(made: Any) -> Any:
            return made.fetch_token(
                self.token_url,
                grant_type="authorization_code",
                code=callback.code,
                code_verifier=callback.verifier,
                redirect_uri=callback.redirect_url,
                timeout=TIMEOUT,
                allow_redirects=False,
                **self.told,
            )

        return self._granted(call, hidden)

    def credentials(self) -> Grant:
        """Ask for access by id and secret alone (RFC 6749, 4.4)."""

        def call(made: Any) -> Any:
            return made.fetch_token(
                self.token_url, grant_type="client_credentials", timeout=TIMEOUT,
                allow_redirects=False,
            )  # fmt: skip

        return self._granted(call, ())

    def refresh(self, token: SecretStr) -> Grant:
        """Renew by a refresh token; where the service gives no new one, the old one stays."""
        old = token.get_secret_value()
        if not old:
            raise Unauthorized(f"{self.host} gave nothing to renew its access with; connect anew")

        def call(made: Any) -> Any:
            return made.refresh_token(
                self.token_url, refresh_token=old, timeout=TIMEOUT, allow_redirects=False
            )

        return self._granted(call, (old,))

    @property
    def host(self) -> str:
        """Host and port of the token address, for people."""
        return host_of(self.token_url)

    @contextmanager
    def _session(self) -> Iterator[Any]:
        from authlib.integrations.requests_client import OAuth2Session

        secret = self.client_secret.get_secret_value()
        method = "client_secret_post" if self.in_form and secret else None
        made = OAuth2Session(
            self.client_id, secret or None, token_endpoint_auth_method=method,
            scope=" ".join(self.scopes) or None,
        )  # fmt: skip
        made.trust_env = False
        for prefix in ("http://", "https://"):
            made.mount(prefix, GuardedAdapter())
        with made:
            yield made

    def _granted(self, call: Callable[[Any], Any], hidden: tuple[str, ...]) -> Grant:
        from authlib.integrations.base_client import OAuthError

        hidden = (*hidden, self.client_secret.get_secret_value())
        began = datetime.now(UTC)

        def judged(reply: requests.Response) -> requests.Response:
            if not 200 <= reply.status_code < 300:
                raise self._meaning(reply, hidden)
            return reply

        with calling(self.host), self._session() as made:
            for moment in ("access_token_response", "refresh_token_response"):
                made.register_compliance_hook(moment, judged)
            try:
                token = call(made)
            except OAuthError as error:  # an error inside a 200, as some services send it
                raise self._ended(str(error.error), str(error.description or ""), hidden) from None
            except (ValueError, TypeError, OverflowError):
                # Its text, and what it came from, may hold the answer and with it the tokens.
                raise Rejected(f"{self.host} answered with something that is no token") from None
        return self._grant(token, began)

    def _grant(self, token: dict[str, Any], began: datetime) -> Grant:
        access = token.get("access_token")
        if not isinstance(access, str) or not access:
            raise Rejected(f"{self.host} answered without an access token")
        scope = token.get("scope")
        told = re.split(r"[\s,]+", scope.strip()) if isinstance(scope, str) and scope else ()
        return Grant(
            settings={self.access: access, self.renews: str(token.get("refresh_token") or "")},
            expires_at=ends(token.get("expires_in"), began),
            scopes=tuple(told) or self.scopes,
        )

    def _meaning(self, reply: requests.Response, hidden: tuple[str, ...]) -> HubError:
        """Return what an answer that is not 2xx means."""
        try:
            told = reply.json()
        except ValueError:
            told = None
        error = told.get("error") if isinstance(told, dict) else None
        if isinstance(error, str) and error in ENDED:
            said = told.get("error_description")
            return self._ended(error, said if isinstance(said, str) else "", hidden)
        said = cover(redact(sentence(reply.text)) or str(reply.reason), hidden)
        after = reply.headers.get("Retry-After", "")
        return judge(self.host, reply.status_code, said, reads=True, after=after)

    def _ended(self, error: str, said: str, hidden: tuple[str, ...]) -> HubError:
        detail = cover(f"{error}: {said[:200]}" if said else error, hidden)
        if error in ENDED:
            return Unauthorized(f"{self.host} {ENDED[error]} ({detail})")
        return Rejected(f"{self.host} gave no token ({detail})")


def ends(seconds: object, began: datetime) -> datetime | None:
    """Return when a token ends whose answer says `expires_in`; none where it says nothing."""
    if isinstance(seconds, str) and seconds.isdecimal():
        seconds = int(seconds)
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return None
    return began + timedelta(seconds=min(max(seconds, 0), LONGEST_LIFE))
