"""Addresses are found in the spellings that people use, and it is said how sure that is."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from hub.maps import LoadedMap
from hub.maps.extract import Extract, House, Label
from hub.maps.gazetteer import write
from hub.maps.load import load
from hub.maps.places import Found, Places, find, metres_between, read_text
from hub.maps.plane import project
from hub.maps.spelling import distance, key, split
from hub.nouns import Address
from tests.maps.conftest import NOW
from tests.needs import shared, shared_folder


@pytest.fixture(scope="module")
def ask(one: LoadedMap):
    """Return a function that looks a line up in the little town."""

    def look(text: str) -> Found | None:
        return Places(one.places).find(read_text(text))

    return look


@pytest.mark.parametrize(
    "text",
    [
        "Bahnhofstrasse 5, 9999 Neustadt",
        "bahnhofstr. 5, Neustadt",
        "Bahnhof-Strasse 5, Neustadt",
        "BAHNHOFSTRAßE 5, 9999 NEUSTADT",
        "5 Bahnhofstrasse, Neustadt",
        "5, Bahnhofstrasse, Neustadt",
        "Bahnhofstrasse Nr. 5, Neustadt",
        "Bahnhofstrasse 5, 2. Stock, 9999 Neustadt",
    ],
)
def test_spellings_of_one_address_lead_to_its_door(ask, text: str) -> None:
    found = ask(text)
    assert found.text == "Bahnhofstrasse 5, 9999 Neustadt"
    assert found.location.confidence == pytest.approx(0.95)
    assert metres_between(47.14155, 9.51755, found.location.lat, found.location.lon) < 20


@pytest.mark.parametrize(
    ("text", "street"),
    [
        ("Bahnhofstrsase 5, Neustadt", "Bahnhofstrasse"),
        ("Banhofstrasse 5, 9999 Neustadt", "Bahnhofstrasse"),
        ("St. Anna Gasse 7a, Neustadt", "Sankt-Anna-Gasse"),
        ("Im Gruet 3, Neustadt", "Im Grüt"),
        ("Im Grut 3, Neustdat", "Im Grüt"),
    ],
)
def test_typing_errors_and_short_forms_are_forgiven(ask, text: str, street: str) -> None:
    found = ask(text)
    assert found.street == street
    assert 0.7 <= found.location.confidence <= 0.95


def test_a_letter_more_or_less_is_the_house_itself_a_little_less_surely(ask) -> None:
    assert ask("Sankt-Anna-Gasse 7, Neustadt").number == "7a"
    assert ask("Bahnhofstrasse 5b, Neustadt").number == "5"
    assert 0.7 < ask("Bahnhofstrasse 5b, Neustadt").location.confidence < 0.95


def test_a_sign_with_two_numbers_is_found_by_either(ask) -> None:
    assert ask("Sankt-Anna-Gasse 14, Neustadt").location.confidence == pytest.approx(0.95)


def test_a_number_between_known_ones_lies_between_them(ask) -> None:
    found = ask("Bahnhofstrasse 9, Neustadt")
    assert found.location.confidence == pytest.approx(0.65)
    assert metres_between(47.14155, 9.51955, found.location.lat, found.location.lon) < 20


def test_a_street_alone_is_worth_less_and_a_long_one_still_less(ask) -> None:
    assert ask("Dorfweg, Oberdorf").location.confidence == pytest.approx(0.6)
    assert ask("Bahnhofstrasse 99, Neustadt").location.confidence == pytest.approx(0.4)


def test_a_town_alone_only_tells_where_to_look(ask) -> None:
    found = ask("Nirgendwo 3, Neustadt")
    assert (found.text, found.location.confidence) == ("Neustadt", 0.3)


@pytest.mark.parametrize(
    "text", ["Bahnhofstrasse 5, 8001 Zürich", "Rue de Rivoli 5, Paris", "", "12345", "'; --"]
)
def test_what_lies_elsewhere_is_not_known(ask, text: str) -> None:
    assert ask(text) is None


def test_another_country_is_not_known(one: LoadedMap) -> None:
    address = Address(line1="Bahnhofstrasse 5", city="Neustadt", country="DE")
    assert Places(one.places).find(address) is None
    assert Places(one.places).find(address.model_copy(update={"country": "li"})) is not None


def test_the_second_line_counts_where_the_first_is_a_name(one: LoadedMap) -> None:
    address = Address(line1="c/o Muster AG", line2="Bahnhofstrasse 5", city="Neustadt")
    found = Places(one.places).find(address)
    assert found is not None
    assert found.number == "5"


@pytest.fixture(scope="module")
def greek(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Return two towns whose names are not in Latin letters."""
    found = Extract(bounds=(37.0, 22.0, 41.0, 24.0))
    for name, lat, lon in (("Αθήνα", 37.97, 23.72), ("Θεσσαλονίκη", 40.64, 22.94)):
        found.labels.append(Label(2, 10, name, *project(lat, lon)))
    for street, number, city, lat, lon in (
        ("Ερμού", "15", "Αθήνα", 37.971, 23.721),
        ("25ης Μαρτίου", "10", "Θεσσαλονίκη", 40.641, 22.941),
        ("25ης Αυγούστου", "112", "Θεσσαλονίκη", 40.661, 22.951),
        ("Ερμού", "16", "", 37.972, 23.722),
        ("!", "1", "Αθήνα", 37.972, 23.722),
    ):
        found.houses.append(House(number, street, city, "", "", *project(lat, lon)))
    path = tmp_path_factory.mktemp("greek") / "places.db"
    assert write(path, found, lambda share: None) == 4
    return Places(path)


@pytest.mark.parametrize(
    ("line", "city", "text", "sure"),
    [
        ("Ερμου 15", "Αθηνα", "Ερμού 15, Αθήνα", 0.95),
        ("Ερμού 16", "Αθήνα", "Ερμού 16, Αθήνα", 0.95),  # its sign names no town: the nearest one
        ("25ης Μαρτίου 112", "Θεσσαλονίκη", "25ης Μαρτίου, Θεσσαλονίκη", 0.6),
        ("25ης Δεκεμβρίου 112", "Αθήνα", "Αθήνα", 0.3),
        ("Ερμού 15", "Θεσσαλονίκη", "Θεσσαλονίκη", 0.3),
    ],
)
def test_letters_of_any_script_are_told_apart(
    greek: Places, line: str, city: str, text: str, sure: float
) -> None:
    found = greek.find(Address(line1=line, city=city))
    assert found is not None
    assert (found.text, found.location.confidence) == (text, sure)


def test_all_loaded_maps_are_asked(one: LoadedMap, tmp_path: Path) -> None:
    assert find(one.folder.parent, read_text("Dorfweg 1, Oberdorf")) is not None
    assert find(tmp_path, read_text("Dorfweg 1, Oberdorf")) is None


def test_lines_are_read_as_street_and_number() -> None:
    assert split("Städtle 15")[0] == ("Städtle", "15")
    assert split("15, rue Grimaldi")[0] == ("rue Grimaldi", "15")
    assert split("Landstrasse 219 A")[0] == ("Landstrasse", "219a")
    assert split("Straße des 17. Juni 135")[0] == ("Straße des 17. Juni", "135")
    assert split("") == [("", "")]


def test_keys_are_alike_for_what_reads_alike() -> None:
    assert key("Äulestraße") == key("Aeulestr.") == key("aulestrasse")
    assert key("Saint-Roman") == key("St. Roman")
    assert key("Avenue de l'Opéra") == key("av. de l opera")


def test_letters_that_differ_are_counted_up_to_a_limit() -> None:
    assert distance("lettstrasse", "lettstarsse", 2) == 1
    assert distance("vaduz", "vaduz", 0) == 0
    assert distance("schaan", "triesen", 2) == 3


@shared("maps")
def test_nearly_all_addresses_of_a_country_are_found_in_other_spellings(tmp_path: Path) -> None:
    extract = (shared_folder("maps") or tmp_path) / "liechtenstein.osm.pbf"
    one = load(tmp_path, extract, now=NOW, profiles=()).map
    with sqlite3.connect(one.places) as database:
        rows = database.execute(
            "SELECT s.name, h.number, t.name, h.postcode, h.lat, h.lon FROM houses h "
            "JOIN streets s ON s.id = h.street JOIN towns t ON t.id = s.town ORDER BY h.rowid"
        ).fetchall()
    dice = random.Random(5)
    near = 0
    for street, number, town, postcode, lat, lon in dice.sample(rows, 200):
        spelt = dice.choice(SPELLINGS)(street)
        found = Places(one.places).find(
            Address(line1=f"{spelt} {number}", postcode=postcode, city=town)
        )
        here = found.location if found else None
        near += bool(here and metres_between(lat, lon, here.lat, here.lon) <= 50)
    assert near >= 190


SPELLINGS = (
    str.upper,
    lambda name: name.replace("ä", "ae").replace("ö", "oe").replace("ü", "ue"),
    lambda name: name.replace("strasse", "str."),
    lambda name: name.replace("strasse", "straße"),
    lambda name: name.replace("strasse", " Strasse"),
    lambda name: name[:2] + name[3:],
    lambda name: name[:3] + name[4:5] + name[3:4] + name[5:],
)
