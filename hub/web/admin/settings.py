"""Settings of the hub: a page of cards, and the tabs that lead from one to the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, render_template, url_for

from hub.web.policy import allow, allowed, permitted

blueprint = Blueprint("settings", __name__, url_prefix="/admin/settings")
CARDS = (
    ("merchants.page", "Merchants", "The brands that are delivered for; orders belong to one."),
    ("people.page", "People", "Who signs in, in which role; invite, keep out, help back in."),
    ("keys.page", "API keys", "What programs come in with, what each may do and when it last did."),
    ("privacy.page", "Privacy", "Who asked for a copy of their data or to be erased, and by when."),
    ("audit.page", "Audit log", "Who did what and when, for a year."),
)
"""(endpoint, title, what it is for) in order; each reader sees those that its role may open."""


@dataclass(frozen=True)
class Card:
    """One page of the settings."""

    href: str
    title: str
    text: str


@blueprint.get("")
@allow("owner", "merchant")
def page() -> str:
    """Show what there is to set."""
    return render_template("admin/settings/cards.html", cards=cards())


def cards() -> list[Card]:
    """Return the pages that the reader may open."""
    return [
        Card(url_for(endpoint), title, text)
        for endpoint, title, text in CARDS
        if endpoint in current_app.view_functions and permitted(allowed(current_app, endpoint))
    ]


def render_settings(template: str, **shown: Any) -> str:
    """Return one page of the settings; `template` extends `admin/settings/page.html`."""
    return render_template(template, cards=cards(), **shown)
