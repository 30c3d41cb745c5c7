"""Where a proof lies in a sink: a template of words in braces, each made safe as a name."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from hub import Proof

RECORD = "record.json"
WORDS = ("order", "proof", "stop", "invoice", "outcome", "date")
"""What a template may say of a proof."""
_WORD = re.compile(r"\{([^{}]*)\}")


def safe(text: str, otherwise: str) -> str:
    """Return `text` as the name of one file: no separators, no leading dot, 80 letters at most."""
    return re.sub(r"[^\w.-]+", "_", text).strip("._-")[:80] or otherwise


def template(text: str) -> str:
    """Return a template without outer slashes; raise `ValueError` for one that cannot be used."""
    known = ", ".join(f"{{{word}}}" for word in WORDS)
    unknown = [word for word in _WORD.findall(text) if word not in WORDS]
    if unknown or "{" in _WORD.sub("", text) or "}" in _WORD.sub("", text):
        raise ValueError(f"only {known} may stand in braces")
    parts = text.strip("/").split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise ValueError("it has no empty part, no . and no ..")
    if "{proof}" not in text:
        raise ValueError("it needs {proof}, or a second attempt would fall on the first")
    return "/".join(parts)


Template = Annotated[str, AfterValidator(template)]


def path_field() -> str:
    """Return the setting for a template."""
    found: str = Field(
        default="{order}/{proof}",
        title="Folder of one proof",
        description=f"Made of {', '.join(f'{{{word}}}' for word in WORDS)} and slashes.",
    )
    return found


def place(text: str, proof: Proof) -> str:
    """Return where a proof lies, each part of the path safe as a name."""
    values = {
        "order": proof.order, "proof": proof.id, "stop": proof.stop, "invoice": proof.invoice,
        "outcome": proof.outcome, "date": f"{proof.at:%Y-%m-%d}",
    }  # fmt: skip

    def filled(part: str) -> str:
        only = _WORD.fullmatch(part)
        otherwise = f"no-{only[1]}" if only else "proof"
        return safe(_WORD.sub(lambda found: values[found[1]], part), otherwise)

    return "/".join(filled(part) for part in text.split("/"))


def named(proof: Proof) -> list[tuple[str, str, bytes]]:
    """Return (name, media type, content) of what is kept; the record is last.

    Whoever finds the record can rely on the files being there.
    """
    files = [(safe(file.name, "file"), file.media_type, file.content) for file in proof.files]
    return [*files, (RECORD, "application/json", proof.record)]
