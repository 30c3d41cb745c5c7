// Writes the names of a loaded map over its ground: towns, streets along their line, house numbers.
// One canvas covers the view, so that no name is cut at the edge of a tile and none covers another.

import * as L from "leaflet";
import { BORDER, MOTORWAY, PATH, PRIMARY, RAIL, RIVER, SECONDARY, SERVICE, STREAM, STREET, TERTIARY, TRACK, TRAM, WALK, widthAt } from "./ground";
import { colour } from "./map";
import { EXTENT, levelAt, type Label, type Street, type Tile, type Tiles } from "./tiles";

const AROUND = 0.25; // of the view, on every side: what a drag uncovers
const LAKE = 8;
const PEAK = 9;
const APART = 260; // pixels between two writings of the same name
const REPEAT = 420; // pixels of a street per writing

interface Style { size: number; weight: number; tone: string; italic?: boolean; spaced?: number }

/** Ranks of places: from and until which zoom they are named, and how. */
const PLACES: Record<number, { from: number; until: number; style: (zoom: number) => Style }> = {
  0: { from: 5, until: 16, style: (z) => ({ size: z < 10 ? 14 : z < 13 ? 17 : 20, weight: 650, tone: "text" }) },
  1: { from: 8, until: 16, style: (z) => ({ size: z < 10 ? 12 : z < 13 ? 14 : 17, weight: 650, tone: "text" }) },
  2: { from: 10, until: 16.5, style: (z) => ({ size: z < 12 ? 11.5 : z < 14 ? 13 : 15, weight: 600, tone: "text" }) },
  3: { from: 12.5, until: 17, style: () => ({ size: 12.5, weight: 550, tone: "text-2" }) },
  4: { from: 13.5, until: 17.5, style: () => ({ size: 12, weight: 500, tone: "text-2" }) },
  5: { from: 14.5, until: 18, style: () => ({ size: 11.5, weight: 450, tone: "text-2" }) },
  [LAKE]: { from: 10, until: 20, style: () => ({ size: 11.5, weight: 500, tone: "text-water", italic: true }) },
  [PEAK]: { from: 13, until: 20, style: () => ({ size: 11, weight: 500, tone: "text-2" }) },
};
/** Classes of lines: from which zoom their names are written. */
const NAMED: Record<number, number> = {
  [MOTORWAY]: 14, [PRIMARY]: 13.5, [SECONDARY]: 14, [TERTIARY]: 14.5, [STREET]: 15, [WALK]: 16, [SERVICE]: 16.5, [TRACK]: 17, [PATH]: 17.5, [RIVER]: 12, [STREAM]: 15,
};
const REFS: Record<number, number> = { [MOTORWAY]: 9, [PRIMARY]: 11.5, [SECONDARY]: 13 };
const UNNAMED = new Set<number>([RAIL, TRAM, BORDER]);

export class Labels extends L.Layer {
  private canvas = L.DomUtil.create("canvas", "map-labels");
  private pen = this.canvas.getContext("2d")!;
  private due = 0;
  private boxes: number[][] = [];
  private texts = new Map<string, [number, number][]>();
  private font = "sans-serif";
  private corner = L.point(0, 0);
  private wide = 0;
  private high = 0;

  constructor(private all: Tiles[], private paneName: string) {
    super({ pane: paneName });
    for (const tiles of all) tiles.onmore = () => this.later();
  }

  override onAdd(map: L.Map): this {
    map.getPane(this.paneName)!.append(this.canvas);
    this.font = getComputedStyle(document.body).fontFamily || "sans-serif";
    map.on("moveend resize", this.later, this).on("zoomstart", this.hide, this);
    this.later();
    return this;
  }

  override onRemove(map: L.Map): this {
    map.off("moveend resize", this.later, this).off("zoomstart", this.hide, this);
    cancelAnimationFrame(this.due);
    this.due = 0;
    this.canvas.remove();
    return this;
  }

  /** Write everything anew before the next frame. */
  later(): void {
    this.due ||= requestAnimationFrame(() => {
      this.due = 0;
      if (this._map) this.write(this._map);
    });
  }

  private hide(): void {
    this.canvas.style.opacity = "0";
  }

  private write(map: L.Map): void {
    const size = map.getSize();
    const sharp = Math.min(2, window.devicePixelRatio || 1);
    const [padX, padY] = [Math.round(size.x * AROUND), Math.round(size.y * AROUND)];
    this.wide = size.x + 2 * padX;
    this.high = size.y + 2 * padY;
    this.canvas.width = this.wide * sharp;
    this.canvas.height = this.high * sharp;
    this.canvas.style.width = `${this.wide}px`;
    this.canvas.style.height = `${this.high}px`;
    L.DomUtil.setPosition(this.canvas, map.containerPointToLayerPoint([-padX, -padY]));
    this.pen.setTransform(sharp, 0, 0, sharp, 0, 0);
    this.pen.lineJoin = "round";
    this.boxes = [];
    this.texts.clear();
    const zoom = map.getZoom();
    this.corner = map.project(map.containerPointToLatLng([0, 0]), zoom).subtract([padX, padY]);
    this.writeAll(this.visible(zoom), zoom);
    this.canvas.style.opacity = "1";
  }

  /** The tiles that the canvas covers: with where they begin on it and the pixels of their unit. */
  private visible(zoom: number): Placed[] {
    const level = levelAt(Math.round(zoom));
    const side = 256 * 2 ** (zoom - level);
    const found: Placed[] = [];
    for (const tiles of this.all)
      for (let x = Math.floor(this.corner.x / side); x * side < this.corner.x + this.wide; x++)
        for (let y = Math.floor(this.corner.y / side); y * side < this.corner.y + this.high; y++) {
          const tile = tiles.peek({ z: level, x, y });
          if (tile) found.push({ tile, x: x * side - this.corner.x, y: y * side - this.corner.y, unit: side / EXTENT });
        }
    return found;
  }

  private writeAll(placed: Placed[], zoom: number): void {
    const places = placed.flatMap(({ tile, x, y, unit }) => tile.labels.map((label) => ({ ...label, x: x + label.x * unit, y: y + label.y * unit })));
    places.sort((a, b) => a.rank - b.rank || a.text.localeCompare(b.text));
    for (const label of places) if (label.rank < LAKE) this.writePlace(label, zoom);
    const streets = placed.flatMap((at) => at.tile.streets.map((street) => ({ street, at })));
    streets.sort((a, b) => a.street.kind - b.street.kind || b.street.length - a.street.length);
    for (const { street, at } of streets) if (street.ref && zoom >= (REFS[street.kind] ?? 99)) this.writeRef(street, at);
    for (const { street, at } of streets) if (zoom >= (NAMED[street.kind] ?? 99) && street.name && !UNNAMED.has(street.kind)) this.writeStreet(street, at, zoom);
    for (const label of places) if (label.rank >= LAKE) this.writePlace(label, zoom);
    if (zoom >= 17) this.writeHouses(placed, zoom);
  }

  private writePlace({ rank, x, y, text }: Label, zoom: number): void {
    const { from, until, style } = PLACES[rank] ?? { from: 99, until: 0, style: () => ({ size: 11, weight: 400, tone: "text" }) };
    if (zoom < from || zoom > until) return;
    const look = style(zoom);
    const said = rank === PEAK ? `▲ ${text}` : text;
    this.dress(look);
    const half = this.pen.measureText(said).width / 2;
    if (!this.claims(x - half - 4, y - look.size * 0.75, x + half + 4, y + look.size * 0.75) || !this.rare(text, x, y)) return;
    this.inked(look, said, x, y);
    if (said !== text) this.note(text, x, y);
  }

  /** A road's number on a small plate. */
  private writeRef(street: Street, at: Placed): void {
    const text = street.ref.split(";")[0]!.trim();
    this.pen.font = `650 10.5px ${this.font}`;
    const wide = this.pen.measureText(text).width + 8;
    const length = street.length * at.unit;
    if (length < 40 || text.length > 8) return;
    for (const along of spread(length, 600)) {
      const { x, y } = pointAt(street, at, along);
      if (!this.sees(x, y) || !this.rare(`# ${text}`, x, y, 320) || !this.claims(x - wide / 2 - 2, y - 9, x + wide / 2 + 2, y + 9)) continue;
      this.note(`# ${text}`, x, y);
      const motorway = street.kind === MOTORWAY;
      this.pen.fillStyle = colour(motorway ? "--map-motorway" : "--map-main");
      this.pen.strokeStyle = colour(motorway ? "--map-motorway-edge" : "--map-main-edge");
      this.pen.lineWidth = 1;
      this.pen.beginPath();
      this.pen.roundRect(x - wide / 2, y - 7.5, wide, 15, 3);
      this.pen.fill();
      this.pen.stroke();
      this.pen.fillStyle = colour("--map-text");
      this.pen.textAlign = "center";
      this.pen.textBaseline = "middle";
      this.pen.fillText(text, x, y + 0.5);
    }
  }

  private writeStreet(street: Street, at: Placed, zoom: number): void {
    const water = street.kind === RIVER || street.kind === STREAM;
    const size = water ? 11.5 : Math.max(10.5, Math.min(13, widthAt(street.kind, zoom) * 0.72));
    const look: Style = { size, weight: street.kind <= SECONDARY ? 550 : 480, tone: water ? "text-water" : "text", italic: water };
    this.dress(look);
    const wide = this.pen.measureText(street.name).width;
    const length = street.length * at.unit;
    if (length < wide + 8) return;
    for (const along of spread(length, REPEAT)) {
      const line = this.lineFor(street, at, along, wide, length);
      if (line) this.writeAlong(street.name, line, look, wide);
    }
  }

  /** The stretch of a street that takes a text, as straight as can be, near `along`; or null. */
  private lineFor(street: Street, at: Placed, along: number, wide: number, length: number): Stretch | null {
    const middle = pointAt(street, at, along);
    if (!this.sees(middle.x, middle.y)) return null;
    let best: Stretch | null = null;
    for (const shift of [0, -0.5, 0.5, -1, 1]) {
      const start = along - wide / 2 + shift * wide;
      if (start < 2 || start + wide > length - 2) continue;
      const stretch = stretchOf(street, at, start, start + wide);
      if (stretch.bend < 1.1 && (!best || stretch.bend < best.bend - 0.15)) best = stretch;
    }
    return best;
  }

  private writeAlong(text: string, stretch: Stretch, look: Style, wide: number): void {
    const { points } = stretch;
    const first = points[0]!, last = points[points.length - 1]!;
    if (last.x < first.x) points.reverse();
    const middle = walk(points, wide / 2);
    if (!this.rare(text, middle.x, middle.y)) return;
    const radius = look.size * 0.6;
    const spots: Spot[] = [];
    for (let along = radius; along < wide; along += radius * 1.6) spots.push(walk(points, along));
    if (spots.some(({ x, y }) => !this.free(x - radius, y - radius, x + radius, y + radius))) return;
    for (const { x, y } of spots) this.boxes.push([x - radius, y - radius, x + radius, y + radius]);
    this.note(text, middle.x, middle.y);
    if (stretch.bend < 0.12) return this.turned(text, { ...middle, angle: Math.atan2(points[points.length - 1]!.y - points[0]!.y, points[points.length - 1]!.x - points[0]!.x) }, look);
    const letters: [string, Spot][] = [];
    let done = 0;
    for (const letter of text) {
      const width = this.pen.measureText(letter).width;
      letters.push([letter, walk(points, done + width / 2)]);
      done += width;
    }
    for (const pass of [true, false]) for (const [letter, spot] of letters) this.turned(letter, spot, look, pass);
  }

  private writeHouses(placed: Placed[], zoom: number): void {
    const look: Style = { size: zoom >= 18 ? 11 : 10, weight: 450, tone: "text-number" };
    this.dress(look);
    for (const { tile, x, y, unit } of placed)
      for (const house of tile.houses) {
        const [px, py] = [x + house.x * unit, y + house.y * unit];
        const half = this.pen.measureText(house.text).width / 2 + 1;
        if (this.claims(px - half, py - 6, px + half, py + 6)) this.turned(house.text, { x: px, y: py, angle: 0 }, look);
      }
  }

  private dress(look: Style): void {
    this.pen.font = `${look.italic ? "italic " : ""}${look.weight} ${look.size}px ${this.font}`;
    this.pen.textAlign = "center";
    this.pen.textBaseline = "middle";
  }

  private inked(look: Style, text: string, x: number, y: number): void {
    this.turned(text, { x, y, angle: 0 }, look);
    this.note(text, x, y);
  }

  /** Write at a spot, along its angle: halo and ink, or only one of them. */
  private turned(text: string, { x, y, angle }: Spot, look: Style, halo?: boolean): void {
    const { pen } = this;
    pen.save();
    pen.translate(x, y);
    pen.rotate(angle);
    pen.strokeStyle = colour("--map-halo");
    pen.lineWidth = 3;
    pen.fillStyle = colour(`--map-${look.tone}`);
    if (halo !== false) pen.strokeText(text, 0, 0);
    if (halo !== true) pen.fillText(text, 0, 0);
    pen.restore();
  }

  private sees(x: number, y: number): boolean {
    return x > -50 && y > -50 && x < this.wide + 50 && y < this.high + 50;
  }

  private free(left: number, top: number, right: number, bottom: number): boolean {
    return this.boxes.every(([l, t, r, b]) => right < l! || left > r! || bottom < t! || top > b!);
  }

  private claims(left: number, top: number, right: number, bottom: number): boolean {
    if (right < 0 || bottom < 0 || left > this.wide || top > this.high || !this.free(left, top, right, bottom)) return false;
    this.boxes.push([left, top, right, bottom]);
    return true;
  }

  private rare(text: string, x: number, y: number, apart = APART): boolean {
    return (this.texts.get(text) ?? []).every(([px, py]) => Math.hypot(px - x, py - y) > apart);
  }

  private note(text: string, x: number, y: number): void {
    const known = this.texts.get(text);
    if (known) known.push([x, y]);
    else this.texts.set(text, [[x, y]]);
  }
}

interface Placed { tile: Tile; x: number; y: number; unit: number }
interface Spot { x: number; y: number; angle: number }
interface Stretch { points: { x: number; y: number }[]; bend: number }

/** Where along a length something is written, every `every` pixels. */
function spread(length: number, every: number): number[] {
  const count = Math.max(1, Math.floor(length / every));
  return Array.from({ length: count }, (_, n) => ((n + 0.5) / count) * length);
}

function pointAt(street: Street, at: Placed, along: number): { x: number; y: number } {
  return stretchOf(street, at, along, along).points[0]!;
}

/** The part of a street between two lengths, in pixels, and by how many radians it bends in all. */
function stretchOf(street: Street, at: Placed, from: number, to: number): Stretch {
  const { points: p } = street;
  const points: { x: number; y: number }[] = [];
  let done = 0, bend = 0, before: number | null = null;
  const put = (x: number, y: number) => points.push({ x: at.x + x * at.unit, y: at.y + y * at.unit });
  for (let n = 2; n < p.length; n += 2) {
    const [ax, ay, bx, by] = [p[n - 2]!, p[n - 1]!, p[n]!, p[n + 1]!];
    const length = Math.hypot(bx - ax, by - ay) * at.unit;
    if (length === 0) continue;
    const [low, high] = [from - done, to - done];
    if (high >= 0 && low <= length) {
      if (points.length === 0) put(ax + (bx - ax) * Math.max(0, low / length), ay + (by - ay) * Math.max(0, low / length));
      const share = Math.min(1, high / length);
      put(ax + (bx - ax) * share, ay + (by - ay) * share);
      const angle = Math.atan2(by - ay, bx - ax);
      if (before !== null) bend += Math.abs(Math.atan2(Math.sin(angle - before), Math.cos(angle - before)));
      before = angle;
    }
    done += length;
    if (done > to) break;
  }
  if (points.length === 0) put(p[p.length - 2]!, p[p.length - 1]!);
  return { points, bend };
}

/** The spot at a length along points, with the direction there. */
function walk(points: { x: number; y: number }[], along: number): Spot {
  let done = 0;
  for (let n = 1; n < points.length; n++) {
    const a = points[n - 1]!, b = points[n]!;
    const length = Math.hypot(b.x - a.x, b.y - a.y);
    if (length > 0 && (done + length >= along || n === points.length - 1)) {
      const share = (along - done) / length;
      return { x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share, angle: Math.atan2(b.y - a.y, b.x - a.x) };
    }
    done += length;
  }
  return { ...points[0]!, angle: 0 };
}
