"""`hub map`: load maps of OpenStreetMap extracts, list and remove them, find addresses."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from hub.cli.bars import Bars
from hub.cli.terminal import show
from hub.settings import Settings


@click.group("map")
def map_command() -> None:
    """Load maps: streets to draw, addresses to find, road graphs for travel times."""


@map_command.command("load")
@click.argument("extract", required=False, type=click.Path(path_type=Path))
@click.option("--region", help="Fetch this region's extract, such as europe/liechtenstein.")
@click.option("--name", default="", help="Name of the map; default: the file's.")
@click.option("--profiles", default="car", show_default=True, help="Of car, bike, truck.")
def load_command(extract: Path | None, region: str | None, name: str, profiles: str) -> None:
    """Build the map of EXTRACT (.osm.pbf); one of the same name is replaced.

    Ctrl-C leaves nothing behind, and a map that was there before stays.
    """
    from hub.maps.load import load
    from hub.maps.regions import fetch

    if (extract is None) == (region is None):
        raise click.UsageError("give either EXTRACT, a file, or --region")
    settings = Settings.read()
    chosen = tuple(part.strip() for part in profiles.split(",") if part.strip())
    began = datetime.now(UTC)
    fetched = extract is None
    try:
        with Bars() as bars:
            if extract is None:
                folder = settings.maps / ".downloads"
                extract = fetch(
                    region or "",
                    settings.map_downloads,
                    folder,
                    lambda share: bars("download", share),
                )
            done = load(settings.maps, extract, now=began, name=name, profiles=chosen, tell=bars)
        if fetched:
            extract.unlink()
    except KeyboardInterrupt:
        click.echo("Stopped; nothing was loaded.", err=True)
        raise SystemExit(130) from None
    renew_ways(settings)
    one = done.map
    seconds = (datetime.now(UTC) - began).total_seconds()
    if done.left_out:
        click.secho(f"{done.left_out[:1].upper()}{done.left_out[1:]}.", fg="yellow", err=True)
    roads = f"roads for {', '.join(one.profiles)}" if one.profiles else "no road graph"
    click.echo(
        f"{one.name} is loaded after {seconds:.1f} s: {one.addresses:,} addresses, {roads}. "
        f"The pages show it from now on, with {one.credit}."
    )


@map_command.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_command(as_json: bool) -> None:
    """List the loaded maps."""
    from hub.maps import loaded

    rows = [
        {
            "name": one.name,
            "addresses": one.addresses,
            "roads": list(one.profiles),
            "built_at": one.built_at,
            "megabytes": round(size(one.folder) / 1e6, 1),
            "bounds": list(one.bounds),
            "credit": one.credit,
        }
        for one in loaded(Settings.read().maps)
    ]
    columns = ("name", "addresses", "roads", "built_at", "megabytes")
    show(rows, columns, as_json, "No map is loaded. Load one with: hub map load FILE.osm.pbf")


@map_command.command("remove")
@click.argument("name")
def remove_command(name: str) -> None:
    """Remove the map NAME; the pages are plain there again and travel times approximate."""
    from hub.maps.load import remove

    remove(Settings.read().maps, name)
    click.echo(f"{name} is removed.")


@map_command.command("find")
@click.argument("address")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def find_command(address: str, as_json: bool) -> None:
    """Find ADDRESS ("Städtle 15, 9490 Vaduz") in the loaded maps."""
    from hub.errors import Missing
    from hub.maps.places import find, read_text

    answer = find(Settings.read().maps, read_text(address))
    if answer is None:
        raise Missing(f"no loaded map knows {address!r}; see hub map list")
    row = {
        "address": answer.text, "lat": round(answer.location.lat, 6),
        "lon": round(answer.location.lon, 6), "confidence": round(answer.location.confidence, 2),
    }  # fmt: skip
    show([row], tuple(row), as_json, "")


def renew_ways(settings: Settings) -> None:
    """Have the workers of a hub that is set up here draw today's routes along the new streets."""
    from hub.cli.plans import ready
    from hub.errors import HubError
    from hub.planning.ways import ask_again

    url = settings.database_url
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return
    try:
        ask_again(ready())
    except HubError as error:
        click.secho(f"Routes keep their straight lines for now: {error}", fg="yellow", err=True)


def size(folder: Path) -> int:
    """Return the bytes of all files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
