// A map that is never blank or broken: tiles where there are some, else a quiet plain ground.

import * as L from "leaflet";
import { linked } from "./credit";
import type { Streets } from "./streets";
import type { StreetMap } from "./tiles";

export type Point = [lat: number, lon: number];
export type { L };

export interface Dot {
  id: string;
  at: Point;
  colour: string; // a CSS colour or the name of a token: "--state-completed"
  radius?: number;
  hollow?: boolean;
  label?: string; // plain text, shown on hover
}

export interface Line {
  id: string;
  points: Point[];
  colour: string;
  weight?: number;
  dashed?: boolean;
  faint?: boolean;
}

const probes = new Map<string, string>();

/** The colour a token has now; Leaflet paints on a canvas, which knows no custom properties. */
export function colour(name: string): string {
  if (!name.startsWith("--")) return name;
  let found = probes.get(name);
  if (!found) {
    const probe = document.createElement("span");
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    found = getComputedStyle(probe).color;
    probe.remove();
    probes.set(name, found);
  }
  return found;
}

export class HubMap {
  readonly leaflet: L.Map;
  private dots = new Map<string, { dot: Dot; drawn: L.CircleMarker }>();
  private lines = new Map<string, { line: Line; drawn: L.Polyline }>();
  private badges = new Map<string, { text: string; tone: string; sign: HTMLElement; drawn: L.Marker }>();
  private tiles: L.TileLayer | null = null;
  private tilesCredit: L.Control.Attribution | null = null;
  private streets: Streets | null = null;
  private credits: string[] = [];
  private linesCredit: L.Control.Attribution | null = null;
  private linesBelow: L.Canvas;
  private tilesLost = 0;
  private tilesCame = false;

  /** Draw into `element`, which carries data-tiles, data-attribution, data-streets and perhaps data-max-zoom. */
  constructor(private element: HTMLElement, options: L.MapOptions = {}) {
    element.classList.add("map");
    const inner = document.createElement("div");
    element.prepend(inner);
    this.leaflet = L.map(inner, {
      preferCanvas: true,
      attributionControl: false,
      zoomSnap: 0.5,
      wheelPxPerZoomLevel: 120,
      ...options,
    });
    this.leaflet.setView([47.14, 9.52], 11);
    // Lines lie below the names of streets, and those below the dots.
    this.leaflet.createPane("lines").style.zIndex = "350";
    this.linesBelow = L.canvas({ pane: "lines" });
    this.addTiles();
    void this.addStreets();
    new ResizeObserver(() => this.leaflet.invalidateSize({ animate: false })).observe(element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.repaint());
  }

  private addTiles(): void {
    const { tiles, attribution, maxZoom } = this.element.dataset;
    if (!tiles) {
      this.element.classList.add("no-tiles");
      return;
    }
    const layer = L.tileLayer(tiles, { maxZoom: Number(maxZoom ?? 19), referrerPolicy: "strict-origin-when-cross-origin" });
    layer.on("tileload", () => {
      this.tilesCame = true;
      this.tilesLost = 0;
      this.element.classList.remove("no-tiles");
    });
    // A tile that fails is left out at once; when several fail in a row the whole ground turns plain.
    layer.on("tileerror", (event: L.TileErrorEvent) => {
      event.tile.remove();
      this.tilesLost += 1;
      if (!this.tilesCame || this.tilesLost > 4) this.element.classList.add("no-tiles");
    });
    layer.addTo(this.leaflet);
    this.tiles = layer;
    if (attribution) this.tilesCredit = L.control.attribution({ prefix: false }).addAttribution(safe(attribution)).addTo(this.leaflet);
  }

  /** Where a loaded map covers what is looked at, its streets are the ground. */
  private async addStreets(): Promise<void> {
    const maps = JSON.parse(this.element.dataset.streets || "[]") as StreetMap[];
    if (maps.length === 0) return;
    const { Streets } = await import("./streets");
    this.streets = new Streets(this.leaflet, maps);
    this.leaflet.on("moveend", () => this.chooseGround());
    this.chooseGround();
  }

  private chooseGround(): void {
    const streets = this.streets;
    if (!streets) return;
    const wanted = streets.covers(this.tiles !== null);
    if (wanted === streets.shown) return;
    streets.show(wanted);
    this.element.classList.toggle("streets", wanted);
    this.element.classList.toggle("no-tiles", !wanted && (!this.tiles || (!this.tilesCame && this.tilesLost > 0)));
    if (wanted) {
      this.tiles?.remove();
      this.tilesCredit?.remove();
    } else {
      this.tiles?.addTo(this.leaflet);
      this.tilesCredit?.addTo(this.leaflet);
    }
    this.showCredits();
  }

  /** Name who made the lines that are drawn, where the ground does not name them already. */
  setCredits(credits: string[]): void {
    this.credits = [...new Set(credits.filter((credit) => credit !== ""))];
    this.showCredits();
  }

  private showCredits(): void {
    const { streets, attribution } = this.element.dataset;
    const maps = this.streets?.shown ? (JSON.parse(streets || "[]") as StreetMap[]) : [];
    const named = this.streets?.shown ? maps.map((map) => map.credit) : [this.tiles ? (attribution ?? "") : ""];
    const wanted = this.credits.filter((credit) => !named.some((text) => text.includes(credit)));
    this.linesCredit?.remove();
    this.linesCredit = null;
    if (wanted.length === 0) return;
    this.linesCredit = L.control.attribution({ prefix: false });
    for (const credit of wanted) this.linesCredit.addAttribution(credited(credit));
    this.linesCredit.addTo(this.leaflet);
  }

  /** Draw exactly these dots: new ones are added, known ones moved, others removed. */
  setDots(dots: Dot[], click?: (id: string) => void): void {
    const gone = new Set(this.dots.keys());
    for (const dot of dots) {
      gone.delete(dot.id);
      const known = this.dots.get(dot.id);
      if (known) {
        if (JSON.stringify(known.dot) === JSON.stringify(dot)) continue;
        known.drawn.setLatLng(dot.at).setRadius(dot.radius ?? 6).setStyle(dotStyle(dot));
        known.drawn.setTooltipContent(plain(dot.label ?? ""));
        known.dot = dot;
      } else {
        const drawn = L.circleMarker(dot.at, { radius: dot.radius ?? 6, ...dotStyle(dot) });
        drawn.bindTooltip(plain(dot.label ?? ""), { direction: "top", offset: [0, -4] });
        if (click) drawn.on("click", (event) => { L.DomEvent.stopPropagation(event); click(dot.id); });
        drawn.addTo(this.leaflet);
        this.dots.set(dot.id, { dot, drawn });
      }
    }
    for (const id of gone) {
      this.dots.get(id)?.drawn.remove();
      this.dots.delete(id);
    }
  }

  /** Draw exactly these lines, below the dots. */
  setLines(lines: Line[]): void {
    const gone = new Set(this.lines.keys());
    for (const line of lines) {
      gone.delete(line.id);
      const known = this.lines.get(line.id);
      if (known && JSON.stringify(known.line) === JSON.stringify(line)) continue;
      known?.drawn.remove();
      const drawn = L.polyline(line.points, { ...lineStyle(line), pane: "lines", renderer: this.linesBelow }).addTo(this.leaflet);
      drawn.bringToBack();
      this.lines.set(line.id, { line, drawn });
    }
    for (const id of gone) {
      this.lines.get(id)?.drawn.remove();
      this.lines.delete(id);
    }
  }

  /** Show or move a small round sign with text, e.g. a driver's initials; higher ones lie on top. */
  setBadge(id: string, at: Point, text: string, tone: string, label = "", click?: () => void, above = 0): void {
    const known = this.badges.get(id);
    known?.drawn.setZIndexOffset(1000 * (above + 1));
    if (known && known.text === text && known.tone === tone) {
      known.drawn.setLatLng(at);
      known.drawn.setTooltipContent(plain(label));
      return;
    }
    known?.drawn.remove();
    const sign = document.createElement("span");
    sign.textContent = text;
    sign.style.setProperty("--pin", colour(tone));
    const icon = L.divIcon({ className: "map-pin", html: sign, iconSize: [0, 0] });
    const drawn = L.marker(at, { icon, keyboard: false, zIndexOffset: 1000 * (above + 1) });
    drawn.bindTooltip(plain(label), { direction: "top", offset: [0, -12] });
    if (click) drawn.on("click", click);
    drawn.addTo(this.leaflet);
    this.badges.set(id, { text, tone, sign, drawn });
  }

  /** Remove the signs whose id is not among `ids`. */
  keepBadges(ids: Iterable<string>): void {
    const keep = new Set(ids);
    for (const [id, { drawn }] of this.badges) {
      if (keep.has(id)) continue;
      drawn.remove();
      this.badges.delete(id);
    }
  }

  /** Bring all `points` into view. */
  fit(points: Point[], animate = false): void {
    if (points.length === 0) return;
    this.leaflet.fitBounds(L.latLngBounds(points), { padding: [32, 32], maxZoom: 16, animate });
  }

  /** Call `chosen` with the place of the next click; the returned function calls that off. */
  choose(chosen: (at: Point) => void): () => void {
    const click = (event: L.LeafletMouseEvent) => {
      stop();
      chosen([round(event.latlng.lat), round(event.latlng.wrap().lng)]);
    };
    const stop = () => {
      this.element.classList.remove("choosing");
      this.leaflet.off("click", click);
    };
    this.element.classList.add("choosing");
    this.leaflet.on("click", click);
    return stop;
  }

  private repaint(): void {
    probes.clear();
    for (const { dot, drawn } of this.dots.values()) drawn.setStyle(dotStyle(dot));
    for (const { line, drawn } of this.lines.values()) drawn.setStyle(lineStyle(line));
    for (const { tone, sign } of this.badges.values()) sign.style.setProperty("--pin", colour(tone));
    this.streets?.repaint();
  }
}

function dotStyle(dot: Dot): L.PathOptions {
  const tone = colour(dot.colour);
  return dot.hollow
    ? { color: tone, weight: 2, fillColor: colour("--surface"), fillOpacity: 1 }
    : { color: colour("--surface"), weight: 1.5, fillColor: tone, fillOpacity: 1 };
}

function lineStyle(line: Line): L.PolylineOptions {
  return {
    color: colour(line.colour),
    weight: line.weight ?? 3,
    opacity: line.faint ? 0.3 : 0.8,
    dashArray: line.dashed ? "2 6" : undefined,
    interactive: false,
    smoothFactor: 1.5,
  };
}

function plain(text: string): HTMLElement {
  const element = document.createElement("span");
  element.textContent = text;
  return element;
}

// Who made a way, as its provider says it; OpenStreetMap asks for a link to its licence.
function credited(credit: string): string {
  const out = document.createElement("span");
  out.textContent = credit;
  return credit.includes("OpenStreetMap") ? linked(credit) : out.innerHTML;
}

// Attribution is the operator's own setting; of its markup only links are kept.
function safe(attribution: string): string {
  const parsed = new DOMParser().parseFromString(attribution, "text/html");
  const out = document.createElement("span");
  for (const node of parsed.body.childNodes) {
    if (node instanceof HTMLAnchorElement && /^https?:/.test(node.href)) {
      const link = document.createElement("a");
      link.href = node.href;
      link.textContent = node.textContent;
      out.append(link);
    } else {
      out.append(node.textContent ?? "");
    }
  }
  return out.innerHTML;
}

function round(degrees: number): number {
  return Math.round(degrees * 1e6) / 1e6;
}
