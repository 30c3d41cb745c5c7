// The street layer of the loaded maps: ground and names, under everything that the pages draw.

import * as L from "leaflet";
import { linked } from "./credit";
import { Ground } from "./ground";
import { Labels } from "./labels";
import { Tiles, within, type StreetMap } from "./tiles";

export class Streets {
  private grounds: Ground[];
  private labels: Labels;
  private credit: L.Control.Attribution;
  /** Whether it shows now. */
  shown = false;

  constructor(private leaflet: L.Map, private maps: StreetMap[]) {
    for (const [name, layer] of [["streets", 210], ["names", 360]] as const) {
      const pane = leaflet.getPane(name) ?? leaflet.createPane(name);
      pane.style.zIndex = String(layer);
      pane.style.pointerEvents = "none";
    }
    const all = maps.map((map) => new Tiles(map));
    this.grounds = all.map((tiles) => new Ground(tiles, { pane: "streets", bounds: boundsOf(tiles.map) }));
    this.labels = new Labels(all, "names");
    this.credit = L.control.attribution({ prefix: false });
    for (const credit of new Set(maps.map((map) => map.credit))) this.credit.addAttribution(linked(credit));
  }

  /** Whether what is looked at lies on one of the maps; `strict`: its middle. */
  covers(strict: boolean): boolean {
    const { lat, lng } = this.leaflet.getCenter();
    const view = this.leaflet.getBounds();
    return this.maps.some((map) => within(map, [lat, lng]) || (!strict && view.intersects(boundsOf(map))));
  }

  show(wanted: boolean): void {
    if (wanted === this.shown) return;
    this.shown = wanted;
    for (const layer of [...this.grounds, this.labels]) wanted ? layer.addTo(this.leaflet) : layer.remove();
    wanted ? this.credit.addTo(this.leaflet) : this.credit.remove();
  }

  /** Paint in the colours of now. */
  repaint(): void {
    // Not `redraw`: at half zooms Leaflet would then ask for tiles of half a zoom.
    for (const ground of this.grounds) if (this.shown) ground.remove().addTo(this.leaflet);
    this.labels.later();
  }
}

function boundsOf({ bounds: [south, west, north, east] }: StreetMap): L.LatLngBounds {
  return L.latLngBounds([south, west], [north, east]);
}
