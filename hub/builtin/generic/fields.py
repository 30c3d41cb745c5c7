"""Which fields of an order can be mapped, and how what stands in a record is read for each.

A mapping is data: paths into a record, constants and a few fixed ways of reading. Nothing of it is
ever evaluated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

LONGEST_PATH = 500
MOST_VALUES = 50
JOINS = " + "
"""What stands between the paths whose texts are put together."""
Sort = Literal["text", "phone", "date", "time", "money", "whole", "degrees", "minutes", "list"]
ROWS = "rows"
"""Where the rows of an order in a table are found."""


@dataclass(frozen=True)
class Target:
    """One field of an order that can be mapped."""

    name: str
    label: str
    sort: Sort
    hint: str = ""
    guesses: str = ""
    """Names that other systems have for it, by which paths are suggested."""
    needed: bool = False
    """Whether it is suggested as one that every record has."""

    @property
    def ways(self) -> tuple[tuple[str, str], ...]:
        """Return (name, words) of the ways in which it can be read; the first is the usual one."""
        return WAYS.get(self.sort, ())

    @property
    def is_of_line(self) -> bool:
        """Whether it is read from each article."""
        return self.name.startswith("line.")


WAYS: dict[Sort, tuple[tuple[str, str], ...]] = {
    "date": (
        ("", "2026-11-23 or 23.11.2026"), ("dmy", "day/month/year"), ("mdy", "month/day/year"),
        ("unix", "seconds since 1970"), ("unixms", "milliseconds since 1970"),
    ),
    "time": (
        ("", "14:30, or date and time"), ("before", "part before a dash: 9:00–12:00"),
        ("after", "part behind a dash"), ("dmy", "day/month/year and time"),
        ("mdy", "month/day/year and time"), ("unix", "seconds since 1970"),
        ("unixms", "milliseconds since 1970"),
    ),
    "money": (
        ("", "12.50"), ("comma", "decimal comma: 1.250,00"), ("cents", "cents: 1250 is 12.50"),
    ),
    "minutes": (("", "minutes"), ("seconds", "seconds"), ("hours", "hours")),
}  # fmt: skip
TARGETS = (
    Target("ref", "Number of the order", "text", "Needed; the same each time it is read",
           "ref orderid order_id ordernumber order_number orderno auftragsnummer "
           "auftragsnr auftrag bestellnummer bestellnr belegnummer belegnr docno docnum documentno "
           "id number no nr order", needed=True),
    Target("number", "As the customer calls it", "text", "Where that is not the number above",
           "displaynumber display_number ordername reference referenz customerreference"),
    Target("status", "Status", "text", "Says which orders are called off",
           "status state orderstatus order_status auftragsstatus zustand"),
    Target("kind", "Kind", "text", "delivery, collection or service; =delivery for all",
           "kind deliverytype delivery_type auftragsart lieferart ordertype"),
    Target("recipient.name", "Recipient", "text", "customer.first + customer.last joins two",
           "recipient name fullname full_name customername customer_name contactname empfaenger "
           "empfänger kunde kundenname ansprechpartner shipto_name firstname vorname", needed=True),
    Target("recipient.phone", "Phone", "phone", "",
           "phone phonenumber phone_number mobile mobilephone tel telephone telefon telefonnummer "
           "handy mobil"),
    Target("recipient.email", "E-mail", "text", "", "email e_mail mail emailaddress"),
    Target("address.line1", "Street and number", "text", "street + number joins two",
           "line1 address1 address_1 address_line1 addressline1 street streetaddress "
           "strasse straße adresse strassenr anschrift address", needed=True),
    Target("address.line2", "Second line", "text", "",
           "line2 address2 address_2 address_line2 addressline2 zusatz adresszusatz suite "
           "apartment company firma"),
    Target("address.postcode", "Postcode", "text", "",
           "postcode postalcode postal_code zip zipcode zip_code plz postleitzahl", needed=True),
    Target("address.city", "City", "text", "", "city town ort stadt wohnort place", needed=True),
    Target("address.region", "Region", "text", "",
           "region state province kanton bundesland county"),
    Target("address.country", "Country", "text", "=CH for all",
           "country countrycode country_code land laendercode länderkürzel"),
    Target("location.lat", "Latitude", "degrees", "Both, or the address is looked up",
           "lat latitude breite breitengrad"),
    Target("location.lon", "Longitude", "degrees", "", "lon lng longitude laenge längengrad"),
    Target("service_date", "Day of delivery", "date", "Without one: the next working day",
           "servicedate service_date deliverydate delivery_date shipdate ship_date lieferdatum "
           "liefertag wunschtermin termin requesteddate duedate date datum"),
    Target("window.start", "Window from", "time", "At the depot, or an instant with its zone",
           "windowstart window_start timefrom time_from from von zeitvon zeit_von starttime "
           "slot_start lieferzeitvon timeslot zeitfenster lieferzeit slot"),
    Target("window.end", "Window until", "time", "",
           "windowend window_end timeto time_to until to bis zeitbis zeit_bis endtime slot_end "
           "lieferzeitbis timeslot zeitfenster lieferzeit slot"),
    Target("service_time", "Time at the door", "minutes", "",
           "servicetime service_time serviceminutes service_minutes duration dauer standzeit "
           "stoptime entladezeit"),
    Target("cash_due", "Cash to collect", "money", "",
           "cashdue cash_due cod codamount cod_amount nachnahme nachnahmebetrag barbetrag "
           "amountdue offenerbetrag"),
    Target("total", "Total", "money", "",
           "total totalamount total_amount grandtotal gesamt gesamtbetrag summe endbetrag"),
    Target("currency", "Currency", "text", "=CHF for all",
           "currency currencycode currency_code waehrung währung"),
    Target("notes", "Notes for the driver", "text", "",
           "notes note instructions deliveryinstructions comment comments remark remarks hinweis "
           "hinweise bemerkung bemerkungen notiz lieferhinweis customernote"),
    Target("invoice", "Invoice", "text", "Its number in the accounts",
           "invoice invoicenumber invoice_number invoiceno rechnung rechnungsnummer rechnungsnr"),
    Target("depot", "Depot", "text", "By its name; else the nearest",
           "depot warehouse hub lager standort werk filiale"),
    Target("windows", "Several windows", "text", "09:00-11:00; 14:00-16:00, instead of one",
           "windows timewindows time_windows zeitfensterliste"),
    Target("skills", "Needs", "text", "fridge, lift: what vehicle or driver has to have",
           "skills requirements requires anforderungen"),
    Target("priority", "Priority", "text", "low, normal, high, must, or 0 to 100",
           "priority prioritaet priorität dringlichkeit"),
    Target("driver", "Driver", "text", "The only one who may come, by name",
           "driver drivername fahrer"),
    Target("turn", "First or last", "text", "first or last of its route", ""),
    Target("on_board_minutes", "Most minutes on board", "whole", "For goods that spoil", ""),
    Target("pair", "Pair", "text", "What a collection and its delivery have in common",
           "pair shipment shipmentid shipment_id sendung sendungsnummer"),
    Target("lines", "Articles", "list", f"Where their list is; in a table: {ROWS}",
           "lines items lineitems line_items orderlines order_lines orderitems order_items "
           "positions positionen artikel artikelliste products"),
    Target("line.name", "Article", "text", "In each article",
           "name title description productname product_name item article artikel artikelname "
           "bezeichnung artikelbezeichnung beschreibung", needed=True),
    Target("line.quantity", "Quantity", "whole", "Without one: 1",
           "quantity qty amount count menge anzahl stueck stück stueckzahl", needed=True),
    Target("line.sku", "Article number", "text", "",
           "sku articlenumber article_number itemnumber artikelnummer artikelnr artnr productcode "
           "ean code"),
    Target("line.ref", "Line's own number", "text", "", "lineid line_id position pos posnr id"),
    Target("line.load", "Load of one piece", "whole", "In units of a vehicle's capacity",
           "load volume weight gewicht volumen ladeeinheiten"),
    Target("line.price", "Price of one piece", "money", "",
           "price unitprice unit_price preis einzelpreis stueckpreis"),
)  # fmt: skip
BY_NAME = {target.name: target for target in TARGETS}


class Rule(BaseModel):
    """Where one field comes from.

    `path` is dotted (`customer.name`), several joined by ` + ` are put together with a blank
    between; a `?` at the end says that a record may do without. `=text` is the same for all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(min_length=1, max_length=LONGEST_PATH)
    how: str = ""

    @field_validator("path")
    @classmethod
    def readable(cls, path: str) -> str:
        """Refuse control characters and more parts than anybody needs."""
        if not path.isprintable():
            raise ValueError("it has no control characters")
        if not path.startswith("=") and path.count(JOINS) > 9:
            raise ValueError("at most ten paths are put together")
        return path.strip()

    @property
    def constant(self) -> str | None:
        """The text that is the same for every record, None where it is read."""
        return self.path[1:].strip() if self.path.startswith("=") else None

    @property
    def parts(self) -> list[tuple[str, bool]]:
        """The paths, each with whether a record may do without it."""
        found = [part.strip() for part in self.path.split(JOINS)]
        return [(part.rstrip("?").strip(), part.endswith("?")) for part in found if part]


class Fields(BaseModel):
    """How the records of a system become orders; kept among a connection's settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: dict[str, Rule] = {}
    cancelled: list[str] = Field(default=[], max_length=MOST_VALUES)
    """Values of `status` that call an order off, in any case of letters."""
    wanted: list[str] = Field(default=[], max_length=MOST_VALUES)
    """Values of `status` that are taken; none: all but those that are called off."""

    @model_validator(mode="after")
    def known(self) -> Fields:
        """Refuse fields that no order has, and ways in which a field cannot be read."""
        for name, rule in self.rules.items():
            target = BY_NAME.get(name)
            if target is None:
                raise ValueError(f"an order has no field {name[:40]}")
            if rule.how and rule.how not in dict(target.ways):
                raise ValueError(f"{name} cannot be read as {rule.how[:20]}")
        return self

    @property
    def are_set(self) -> bool:
        """Whether orders can be made: they have at least a number."""
        return "ref" in self.rules

    def has(self, values: list[str], status: str) -> bool:
        """Say whether a status is among some values."""
        return status.strip().casefold() in {value.strip().casefold() for value in values}


def fold(name: str) -> str:
    """Return a name as it is compared: letters and digits only, small."""
    return re.sub(r"[^0-9a-zäöüß]+", "", name.casefold())


def jsonable(fields: Fields) -> dict[str, Any]:
    """Return a mapping as it is stored."""
    return fields.model_dump(mode="json", exclude_defaults=True)
