"""Headers that every answer carries: what a page may load, and from where."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response

from hub.settings import Settings
from hub.web.context import hub


def install(app: Flask) -> None:
    """Add the headers to every answer."""
    app.after_request(protect)


def protect(response: Response) -> Response:
    """Add the headers that a view has not set itself."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", policy(hub().settings))
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("X-Frame-Options", "DENY")
    # Tile servers refuse requests without a referrer; the origin alone tells no token.
    headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
    headers.setdefault("Permissions-Policy", "geolocation=(self), camera=(self), microphone=()")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cache-Control", "private, no-cache")
    return response


def policy(settings: Settings) -> str:
    """Return the Content-Security-Policy: our own files, the tiles and the live channel."""
    tiles = origin(settings.map_tiles).replace("{s}", "*")
    live = origin(settings.live_url)
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src 'self' data: blob: {tiles}".rstrip(),
            f"connect-src 'self' {live}".rstrip(),
            "font-src 'self'",
            "manifest-src 'self'",
            "worker-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def origin(url: str) -> str:
    """Return scheme and host of an address, or nothing."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
