"""Maps that were loaded from OpenStreetMap extracts: streets to draw, places to find, roads."""

from hub.maps.catalogue import LoadedMap, covering, loaded

__all__ = ["LoadedMap", "covering", "loaded"]
