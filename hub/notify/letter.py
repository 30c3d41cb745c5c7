"""A message as a mail: plain text, and HTML in the merchant's colours made of that text.

What a user wrote is text here and nothing else: it is escaped, and of its addresses only plain
ones of http become links. No template language reads it.
"""

from __future__ import annotations

import re
from html import escape
from urllib.parse import urlsplit

from hub.nouns import Noun
from hub.tracking.brand import BLACK, PLAIN, WHITE, ink, readable

PAPER, PAPER_DARK = "#ffffff", "#1b1e21"
GROUND, GROUND_DARK = "#f4f5f6", "#101214"
INK, INK_DARK = "#1c2024", "#e8eaec"
QUIET, QUIET_DARK = "#5d666f", "#a7afb7"
LINE, LINE_DARK = "#dfe3e6", "#363c42"
FONT = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_PAGE = re.compile(r"https?://[^\s<>\"'`{}|\\^\x00-\x1f]+")
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of what follows them."""


class Sender(Noun):
    """Whose mail it is."""

    name: str
    accent: str = PLAIN
    phone: str = ""
    email: str = ""


class Button(Noun):
    """A link that stands out."""

    label: str
    url: str


class Letter(Noun):
    """All that a mail says."""

    sender: Sender
    subject: str
    text: str
    rows: tuple[tuple[str, str], ...] = ()
    """What, when, where: each with its name."""
    button: Button | None = None
    unsubscribe_url: str = ""


def text(letter: Letter) -> str:
    """Return the mail without any form."""
    parts = [seen(letter.text).strip()]
    if letter.rows:
        parts.append("\n".join(f"{name}: {seen(value)}" for name, value in letter.rows))
    if letter.button:
        parts.append(f"{letter.button.label}:\n{letter.button.url}")
    foot = [seen(letter.sender.name), *contacts(letter.sender)]
    if letter.unsubscribe_url:
        foot += ["", f"No more e-mails from {seen(letter.sender.name)}: {letter.unsubscribe_url}"]
    return "\n\n".join([*parts, "-- \n" + "\n".join(foot)]) + "\n"


def html(letter: Letter) -> str:
    """Return the mail as a page of at most 100 kB that needs no image and nothing from outside."""
    accent = letter.sender.accent
    accent = accent if re.fullmatch(r"#[0-9a-fA-F]{6}", accent) else PLAIN
    link, link_dark = readable(accent, PAPER, BLACK), readable(accent, PAPER_DARK, WHITE)
    name = escape(seen(letter.sender.name))
    body = "".join(
        (
            f'<h1 class="ink" style="margin:0 0 16px;font-size:22px;line-height:1.25;color:{INK}">'
            f"{escape(seen(letter.subject))}</h1>",
            paragraphs(letter.text, link),
            table(letter.rows),
            button(letter.button, accent) if letter.button else "",
        )
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        '<meta name="supported-color-schemes" content="light dark">'
        f"<title>{escape(seen(letter.subject))}</title>{style(link_dark)}</head>"
        f'<body class="ground" style="margin:0;padding:0;background:{GROUND}">'
        '<table role="presentation" class="ground" width="100%" cellpadding="0" cellspacing="0" '
        f'border="0" style="background:{GROUND}"><tr><td align="center" style="padding:16px 8px">'
        '<table role="presentation" class="paper" width="100%" cellpadding="0" cellspacing="0" '
        f'border="0" style="max-width:560px;background:{PAPER};font-family:{FONT};font-size:16px;'
        f'line-height:1.5;color:{INK}">'
        f'<tr><td style="padding:14px 24px;background:{accent};color:{ink(accent)};'
        f'font-size:18px;font-weight:700">{name}</td></tr>'
        f'<tr><td class="ink" style="padding:24px;color:{INK};overflow-wrap:anywhere;'
        f'word-break:break-word">{body}</td></tr>'
        f"{foot(letter, link)}</table></td></tr></table></body></html>\n"
    )


def style(link: str) -> str:
    """Return what a dark mail program changes; all else stands beside what it is about."""
    rules = (
        f".ground{{background:{GROUND_DARK}!important}}.paper{{background:{PAPER_DARK}!important}}"
        f".ink{{color:{INK_DARK}!important}}.quiet{{color:{QUIET_DARK}!important}}"
        f".line{{border-color:{LINE_DARK}!important}}.link{{color:{link}!important}}"
    )
    dark = f"@media (prefers-color-scheme:dark){{{rules}}}"
    return f"<style>:root{{color-scheme:light dark}}{dark}</style>"


def paragraphs(text: str, link: str) -> str:
    """Return a text as paragraphs, its addresses as links."""
    found = (part.strip("\n") for part in re.split(r"\n[ \t]*\n", seen(text)))
    return "".join(
        f'<p style="margin:0 0 16px">{linked(part, link)}</p>' for part in found if part.strip()
    )


def linked(text: str, link: str) -> str:
    """Return escaped text in which plain addresses of http are links."""
    made, at = [], 0
    for match in _PAGE.finditer(text):
        url = trimmed(match[0])
        if not is_plain(url):
            continue
        made.append(lines(text[at : match.start()]))
        made.append(f'<a class="link" href="{escape(url)}" style="color:{link}">{escape(url)}</a>')
        at = match.start() + len(url)
    return "".join([*made, lines(text[at:])])


def lines(text: str) -> str:
    """Return escaped text that keeps its lines."""
    return escape(text).replace("\n", "<br>\n")


def trimmed(url: str) -> str:
    """Return an address without what belongs to the sentence around it."""
    url = url.rstrip(".,;:!?*_~")
    while url.endswith((")", "]")) and url.count(url[-1]) > url.count("(["[")]".index(url[-1])]):
        url = url[:-1].rstrip(".,;:!?*_~")
    return url


def is_plain(url: str) -> bool:
    """Say whether an address leads where it seems to: it names a host, and no user before it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.hostname) and "@" not in parts.netloc


def table(rows: tuple[tuple[str, str], ...]) -> str:
    """Return what, when and where in rows."""
    cell = f"padding:8px 12px 8px 0;border-top:1px solid {LINE};vertical-align:top;text-align:left"
    made = "".join(
        f'<tr><th scope="row" class="line quiet" width="88" style="{cell};font-weight:400;'
        f'color:{QUIET}">{escape(name)}</th><td class="line ink" style="{cell};color:{INK}">'
        f"{escape(seen(value))}</td></tr>"
        for name, value in rows
    )
    if not made:
        return ""
    shape = 'width="100%" cellpadding="0" cellspacing="0" border="0" style="margin:0 0 20px"'
    return f"<table {shape}>{made}</table>"


def button(found: Button, accent: str) -> str:
    """Return the link that stands out; its cell has the colour, for what shows no padding."""
    return (
        '<table role="presentation" cellpadding="0" cellspacing="0" border="0"><tr>'
        f'<td style="background:{accent};border-radius:8px"><a href="{escape(found.url)}" '
        f'style="display:inline-block;padding:14px 28px;color:{ink(accent)};font-size:18px;'
        f'font-weight:700;text-decoration:none">{escape(found.label)}</a></td></tr></table>'
    )


def foot(letter: Letter, link: str) -> str:
    """Return who sends it, and how to get no more."""
    name = escape(seen(letter.sender.name))
    told = " · ".join([name, *(escape(one) for one in contacts(letter.sender))])
    if letter.unsubscribe_url:
        told += (
            f'<br><a class="link" href="{escape(letter.unsubscribe_url)}" style="color:{link}">'
            f"No more e-mails from {name}</a>"
        )
    return (
        f'<tr><td class="line quiet" style="padding:16px 24px 20px;border-top:1px solid {LINE};'
        f'font-size:14px;color:{QUIET}">{told}</td></tr>'
    )


def contacts(sender: Sender) -> list[str]:
    """Return how the merchant is reached."""
    return [seen(one) for one in (sender.phone, sender.email) if one]


def seen(text: str) -> str:
    """Return a text whose only control characters are the ends of its lines and tabs."""
    return _UNSEEN.sub("", re.sub(r"\r\n?", "\n", text))
