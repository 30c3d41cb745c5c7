"""Who a text comes from, and whom it goes to, as phone networks take them."""

from __future__ import annotations

import re

from hub import Rejected

NAME = re.compile(r"[A-Za-z0-9 ]{1,11}")
NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
BARE = re.compile(r"[1-9][0-9]{9,14}")
SHORT = re.compile(r"[0-9]{3,8}")


def checked(sender: str) -> str:
    """Return a sender as it may be; raise `Rejected` with field `sender` for one that may not.

    It is a number with country code, a short code of 3 to 8 digits, or a name of at most 11
    letters and digits of which one is a letter. Nobody can answer a name.
    """
    text = sender.strip()
    number = re.sub(r"[ ()./-]", "", text)
    if NUMBER.fullmatch(number):
        return number
    if BARE.fullmatch(number):
        return f"+{number}"
    if SHORT.fullmatch(text) or (NAME.fullmatch(text) and re.search("[A-Za-z]", text)):
        return text
    raise Rejected(
        f"{text[:30]!r} cannot be the sender of a text: use a number such as +41791234567, or up "
        f"to 11 letters and digits, one of them a letter",
        "sender",
    )


def e164(phone: str, country: str) -> str:
    """Return `phone` as +41791234567; raise `Rejected` for what cannot be a number."""
    import phonenumbers

    try:
        number = phonenumbers.parse(phone, country)
    except phonenumbers.NumberParseException as error:
        raise Rejected("the recipient's phone is no number; correct the order", "to") from error
    if not phonenumbers.is_valid_number(number):
        raise Rejected("there is no such number as the recipient's phone; correct the order", "to")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def blind(text: str) -> str:
    """Return what a provider said, without the number that it may repeat."""
    return re.sub(r"\+?\d[\d ]{5,}\d", "(the number)", text)[:300]
