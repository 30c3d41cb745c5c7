"""What a user wrote is text in a mail and nothing else, and the mail reads without any image."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from hub.notify.letter import Button, Letter, Sender, html, text

UNSUBSCRIBE = "https://hub.example/u/abc"
TRACK = "https://hub.example/t/0123456789abcdefghijkl"


def letter(**changed: Any) -> Letter:
    told = {
        "sender": Sender(name="Alpenkraut", accent="#2f7d32", phone="+423 1", email="a@b.example"),
        "subject": "Your delivery comes today", "text": "Hello Maria\n\nWe come today.",
        "rows": (("Order", "#1001"), ("Where", "Städtle 49, 9490 Vaduz")),
        "button": Button(label="Follow your delivery", url=TRACK), "unsubscribe_url": UNSUBSCRIBE,
    }  # fmt: skip
    return Letter.model_validate({**told, **changed})


class Page(HTMLParser):
    """The tags, attributes and words of a page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words += data

    @property
    def links(self) -> list[str]:
        return [value for name, value in self.attributes if name == "href"]


def test_the_text_says_all_that_the_page_says() -> None:
    assert text(letter()) == (
        "Hello Maria\n\nWe come today.\n\nOrder: #1001\nWhere: Städtle 49, 9490 Vaduz\n\n"
        f"Follow your delivery:\n{TRACK}\n\n-- \nAlpenkraut\n+423 1\na@b.example\n\n"
        f"No more e-mails from Alpenkraut: {UNSUBSCRIBE}\n"
    )
    page = Page(html(letter()))
    for words in ("Hello Maria", "#1001", "Städtle 49", "Follow your delivery", "+423 1"):
        assert words in page.words
    assert page.links == [TRACK, UNSUBSCRIBE]


def test_it_needs_nothing_from_outside() -> None:
    source = html(letter())
    page = Page(source)
    assert not {"img", "script", "link", "iframe", "form", "svg", "object"} & set(page.tags)
    assert not re.search(r"url\(|@import|src=", source)
    assert "prefers-color-scheme:dark" in source
    assert ("name", "color-scheme") in page.attributes


@pytest.mark.parametrize("attack", [
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "{% raw %}",
    "${7*7}", "</td></table><h1>Pay here</h1>", "javascript:alert(1)", "data:text/html,<b>",
    "{0.__class__}", "%s%n", "<!--", "]]>", "<style>*{display:none}</style>", "&lt;b&gt;",
    "https://good.example/\"onmouseover=\"alert(1)", "https://good.example/'><b>x",
])  # fmt: skip
def test_what_users_write_stays_text(attack: str) -> None:
    plain = Page(html(letter()))
    made = letter(
        text=f"Hi {attack} there", subject=f"Hi {attack}", rows=(("Order", attack),),
        sender=Sender(name=attack, accent="#2f7d32", phone=attack, email=attack),
    )  # fmt: skip
    page = Page(html(made))
    assert set(page.tags) <= set(plain.tags)
    assert [name for name, _ in page.attributes if name.startswith("on")] == []
    assert f"Hi {attack} there" in page.words
    assert all(link.startswith(("https://", "http://")) for link in page.links)


@pytest.mark.parametrize(("words", "link"), [
    ("see https://a.example/x.", "https://a.example/x"),
    ("(https://a.example/x)", "https://a.example/x"),
    ("https://a.example/w_(x)", "https://a.example/w_(x)"),
    ("https://a.example/?a=1&b=2!", "https://a.example/?a=1&b=2"),
    ("http://a.example:8000/t/abc_", "http://a.example:8000/t/abc"),
])  # fmt: skip
def test_plain_addresses_become_links(words: str, link: str) -> None:
    page = Page(html(letter(text=words)))
    assert page.links == [link, TRACK, UNSUBSCRIBE]
    assert words in page.words


@pytest.mark.parametrize("words", [
    "https://bank.example@evil.example/", "https://", "ftp://a.example/x", "https://[::1",
    "//a.example", "mailto:a@b.example", "https://user:pw@a.example",
])  # fmt: skip
def test_an_address_that_leads_elsewhere_than_it_seems_is_no_link(words: str) -> None:
    page = Page(html(letter(text=words)))
    assert page.links == [TRACK, UNSUBSCRIBE]
    assert words in page.words


def test_signs_that_turn_or_hide_letters_are_left_out() -> None:
    made = letter(text="pay \u202ekcab\u202c here\x00\x08\u2066x\r\nnext", subject="a\u202eb")
    for source in (text(made), html(made)):
        assert not set("\u202e\u202c\u2066\x00\x08\r") & set(source)
    assert "pay kcab herex\nnext" in text(made)


def test_the_lines_of_the_text_are_kept() -> None:
    page = html(letter(text="One\nTwo\n\n\nThree"))
    assert "One<br>\nTwo</p>" in page
    assert "<p" in page[page.index("Two") : page.index("Three")]


@pytest.mark.parametrize("word", ["&", '"', "https://a.example/?&&&&&&&&&& ", "<\n\n", "é"])
def test_the_longest_text_is_no_page_that_is_cut_off(word: str) -> None:
    longest = (word * 6000).encode()[:6000].decode(errors="ignore")
    assert len(html(letter(text=longest, subject='"' * 300)).encode()) <= 100_000


@pytest.mark.parametrize("accent", ["#2f7d32", "#ffee00", "#000000", "#ffffff", "red;x", ""])
def test_what_stands_on_the_merchant_s_colour_can_be_read(accent: str) -> None:
    from hub.tracking.brand import READABLE, contrast

    source = html(letter(sender=Sender(name="Alpenkraut", accent=accent)))
    pairs = re.findall(r"background:(#\w{6})[^>]*?;color:(#\w{6});font-size:18px", source)
    head = re.findall(r"background:(#\w{6});color:(#\w{6})", source)
    assert head
    assert all(contrast(one, other) >= READABLE for one, other in [*pairs, *head])
    assert accent in source or accent in ("red;x", "")
    assert "red;x" not in source
