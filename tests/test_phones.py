"""Numbers of phones as people write them."""

from __future__ import annotations

import pytest

from hub import phones
from hub.errors import Rejected


@pytest.mark.parametrize(
    ("typed", "likely", "others", "e164", "country"),
    [
        ("+41 79 123 45 67", [], [], "+41791234567", "CH"),
        ("079 123 45 67", ["CH"], [], "+41791234567", "CH"),
        ("0041791234567", ["LI"], [], "+41791234567", "CH"),
        ("792 00 01", ["LI"], [], "+4237920001", "LI"),
        ("792 00 01", [], ["CH", "LI"], "+4237920001", "LI"),
        ("079 123 45 67", ["LI", "CH"], [], "+41791234567", "CH"),
        ("0151 23456789", ["DE"], ["CH"], "+4915123456789", "DE"),
    ],
)
def test_a_number_is_read_as_of_the_country_that_it_is_likely_from(
    typed: str, likely: list[str], others: list[str], e164: str, country: str
) -> None:
    found = phones.read(typed, likely, others)
    assert (found.e164, found.country) == (e164, country)


@pytest.mark.parametrize("typed", ["", "call me", "12", "+999", "0" * 30, "+41 79 123"])
def test_what_is_no_number_is_rejected_and_not_repeated(typed: str) -> None:
    with pytest.raises(Rejected, match="no number that exists") as caught:
        phones.read(typed, ["CH"])
    assert caught.value.field == "to"
    assert not typed or typed not in str(caught.value)


def test_a_number_that_several_countries_have_is_not_guessed() -> None:
    with pytest.raises(Rejected, match="several countries have it"):
        phones.read("0664 1234567", [], ["AT", "DE"])


def test_a_number_that_earns_by_each_text_is_rejected() -> None:
    with pytest.raises(Rejected, match="no ordinary number"):
        phones.read("0900 123 456", ["CH"])


def test_the_time_zone_of_a_depot_tells_its_countries() -> None:
    assert phones.countries_of(["Europe/Zurich"]) == ("CH", "DE", "LI")
    assert phones.countries_of(["Europe/Vienna", "Nowhere/Land"]) == ("AT",)
    assert phones.countries_of([]) == ()
