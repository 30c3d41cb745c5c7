"""How orders are written, and how their files are found: the same for an address and a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from hub.builtin.generic.fields import Fields
from hub.oauth import KEPT

FILES = "Files and tables"
Format = Literal["json", "lines", "csv"]


def under(title: str) -> dict[str, Any]:
    """Return what puts a setting under a heading of the form."""
    return {"group": title, "order": 9 if title == FILES else 1}


class Shape(BaseModel):
    """How orders are written; the same for an address and for a folder."""

    model_config = ConfigDict(extra="forbid")

    format: Format = Field(
        default="json",
        title="Format",
        description="json: one document; lines: one JSON record in each line; csv: a table.",
    )
    records: str = Field(
        default="",
        max_length=500,
        title="Where the records are",
        description="In JSON the dotted path of the list, such as data.orders; empty where the "
        "document is the list itself.",
    )
    delimiter: Literal["auto", "comma", "semicolon", "tab", "bar"] = Field(
        default="auto",
        title="Delimiter",
        description="What stands between two cells of a table.",
        json_schema_extra=under(FILES),
    )
    form: Literal["auto", "template", "shopify", "woocommerce"] = Field(
        default="auto",
        title="Form of the table",
        description="Counts while no fields are mapped: the hub's own columns or a shop's export.",
        json_schema_extra=under(FILES),
    )
    pattern: str = Field(
        default="*",
        max_length=200,
        title="Names of files",
        description="Of a folder, such as orders-*.csv; hidden files and those that end in .tmp, "
        ".part or .filepart are never read.",
        json_schema_extra=under(FILES),
    )
    ready: Literal["unchanged", "marker", "renamed"] = Field(
        default="unchanged",
        title="When a file is whole",
        description="unchanged: it did not change between two looks, or for ten minutes; marker: "
        "a file of its name and .done lies beside it; renamed: at once, because your system "
        "writes under another name first.",
        json_schema_extra=under(FILES),
    )
    after: Literal["keep", "move"] = Field(
        default="keep",
        title="What becomes of read files",
        description="keep: they stay and are known again; move: into done, or failed where "
        "nothing of them could be read, in the same folder.",
        json_schema_extra=under(FILES),
    )
    fields: Fields = Field(
        default=Fields(),
        title="Fields",
        description="Which field of an order comes from where; on the page Mapping.",
        json_schema_extra={KEPT: True},
    )

    @field_validator("pattern")
    @classmethod
    def name_only(cls, pattern: str) -> str:
        """Refuse a pattern that leads into another folder."""
        if "/" in pattern or "\\" in pattern or not pattern.isprintable():
            raise ValueError("it is the pattern of a name, without slashes")
        return pattern or "*"


class FolderConfig(Shape):
    """A folder of this machine that another system puts files into."""

    path: Path = Field(
        title="Folder",
        description="An absolute path that the hub may read, as it sees it itself.",
        json_schema_extra={"order": 0},
    )

    @field_validator("path")
    @classmethod
    def absolute(cls, path: Path) -> Path:
        """Refuse a path that depends on where the hub was started."""
        if not path.is_absolute():
            raise ValueError(f"{path} is not absolute; write it from the root, such as /srv/orders")
        return path
