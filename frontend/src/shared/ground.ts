// Paints the ground of a loaded map: water, woods, houses, roads by class, railways, borders.

import * as L from "leaflet";
import { colour } from "./map";
import { EXTENT, levelAt, type Tile, type Tiles } from "./tiles";

export const [MOTORWAY, PRIMARY, SECONDARY, TERTIARY, STREET, SERVICE, WALK, TRACK, PATH] = [0, 1, 2, 3, 4, 5, 6, 7, 8] as const;
export const [RAIL, TRAM, RIVER, STREAM, BORDER] = [20, 21, 22, 23, 24] as const;
const HIDDEN = 100;
const BUILDING = 9;

/** Areas in the order in which they are painted: [class, token]. */
const AREAS: [number, string][] = [
  [4, "built"], [5, "works"], [3, "farm"], [1, "forest"], [2, "green"], [6, "rock"], [10, "sand"], [7, "paved"], [8, "water"], [0, "water"],
];

/** Line widths in CSS pixels at zooms 8, 10, 12, 14, 16, 18, 20. */
const WIDTHS: Record<number, number[]> = {
  [MOTORWAY]: [1.4, 2, 3.2, 6, 12, 24, 48],
  [PRIMARY]: [0.9, 1.6, 2.6, 5.5, 12, 24, 48],
  [SECONDARY]: [0.5, 1.1, 2, 4.8, 11, 22, 44],
  [TERTIARY]: [0.3, 0.8, 1.5, 4, 10, 21, 42],
  [STREET]: [0.2, 0.4, 0.9, 2.6, 8.5, 19, 38],
  [SERVICE]: [0, 0, 0.4, 1.1, 4, 10, 20],
  [WALK]: [0, 0, 0.4, 1.4, 4.5, 11, 22],
  [TRACK]: [0, 0, 0.3, 0.7, 1.4, 2.4, 3],
  [PATH]: [0, 0, 0.3, 0.6, 1.1, 1.8, 2.4],
  [RAIL]: [0.6, 0.8, 1.1, 1.6, 2.2, 3, 4],
  [TRAM]: [0.3, 0.4, 0.6, 1, 1.6, 2.4, 3],
  [RIVER]: [1, 1.4, 2, 3, 5, 8, 12],
  [STREAM]: [0.3, 0.4, 0.7, 1.1, 1.8, 3, 5],
  [BORDER]: [1, 1.2, 1.4, 1.6, 2, 2.4, 3],
};
const TONES: Record<number, [fill: string, edge: string]> = {
  [MOTORWAY]: ["motorway", "motorway-edge"],
  [PRIMARY]: ["main", "main-edge"],
  [SECONDARY]: ["main", "main-edge"],
  [TERTIARY]: ["road", "road-edge"],
  [STREET]: ["road", "road-edge"],
  [SERVICE]: ["road", "road-edge"],
  [WALK]: ["paved", "road-edge"],
};
const ROADS = [WALK, SERVICE, STREET, TERTIARY, SECONDARY, PRIMARY, MOTORWAY];

/** The width of a class of line at a zoom, in CSS pixels. */
export function widthAt(kind: number, zoom: number): number {
  const steps = WIDTHS[kind]!;
  const at = Math.max(0, Math.min(steps.length - 1.001, (zoom - 8) / 2));
  const low = Math.floor(at);
  return steps[low]! + (steps[low + 1]! - steps[low]!) * (at - low);
}

const tone = (name: string) => colour(`--map-${name}`);

export class Ground extends L.GridLayer {
  constructor(private tiles: Tiles, options: L.GridLayerOptions) {
    super({ minNativeZoom: 8, maxZoom: 20, keepBuffer: 3, updateWhenZooming: false, ...options });
  }

  override createTile(coords: L.Coords, done: L.DoneCallback): HTMLElement {
    const canvas = document.createElement("canvas");
    const sharp = Math.min(2, window.devicePixelRatio || 1);
    const side = this.getTileSize().x;
    canvas.width = canvas.height = side * sharp;
    const level = levelAt(coords.z);
    const steps = coords.z - level;
    const key = { z: level, x: coords.x >> steps, y: coords.y >> steps };
    void this.tiles.get(key).then((tile) => {
      const pen = canvas.getContext("2d");
      if (tile && pen) {
        const scale = (side * sharp * 2 ** steps) / EXTENT;
        pen.setTransform(scale, 0, 0, scale, -(coords.x - key.x * 2 ** steps) * side * sharp, -(coords.y - key.y * 2 ** steps) * side * sharp);
        paint(pen, tile, coords.z, scale / sharp);
      }
      done(tile ? undefined : new Error("this tile cannot be had now"), canvas);
    });
    return canvas;
  }
}

/** Paint a tile; `pixels` is how many CSS pixels one unit of the tile is. */
function paint(pen: CanvasRenderingContext2D, tile: Tile, zoom: number, pixels: number): void {
  pen.lineJoin = "round";
  for (const [kind, name] of AREAS) fill(pen, tile.areas.get(kind), tone(name));
  stroke(pen, tile.lines.get(STREAM), tone("water"), widthAt(STREAM, zoom) / pixels);
  stroke(pen, tile.lines.get(RIVER), tone("water"), widthAt(RIVER, zoom) / pixels);
  paintBuildings(pen, tile.areas.get(BUILDING), zoom, pixels);
  if (zoom >= 14) {
    stroke(pen, tile.lines.get(TRACK), tone("path"), widthAt(TRACK, zoom) / pixels, [5 / pixels, 2 / pixels]);
    stroke(pen, tile.lines.get(PATH), tone("path"), widthAt(PATH, zoom) / pixels, [2 / pixels, 2 / pixels]);
  }
  paintTunnels(pen, tile, zoom, pixels);
  paintRoads(pen, tile, zoom, pixels);
  paintRails(pen, tile, zoom, pixels);
  stroke(pen, tile.lines.get(BORDER), tone("border"), widthAt(BORDER, zoom) / pixels, [8 / pixels, 3 / pixels, 2 / pixels, 3 / pixels]);
}

function paintBuildings(pen: CanvasRenderingContext2D, path: Path2D | undefined, zoom: number, pixels: number): void {
  if (!path || zoom < 14) return;
  pen.globalAlpha = zoom < 15 ? 0.55 : 1;
  fill(pen, path, tone("building"));
  if (zoom >= 16) stroke(pen, path, tone("building-edge"), 0.8 / pixels);
  pen.globalAlpha = 1;
}

function paintTunnels(pen: CanvasRenderingContext2D, tile: Tile, zoom: number, pixels: number): void {
  pen.globalAlpha = 0.6;
  pen.lineCap = "butt";
  for (const kind of ROADS) {
    const width = widthAt(kind, zoom);
    if (width > 0.3) stroke(pen, tile.lines.get(kind + HIDDEN), tone(TONES[kind]![1]), width / pixels, [4 / pixels, 3 / pixels]);
  }
  pen.globalAlpha = 1;
}

function paintRoads(pen: CanvasRenderingContext2D, tile: Tile, zoom: number, pixels: number): void {
  pen.lineCap = "round";
  for (const kind of ROADS) {
    const width = widthAt(kind, zoom);
    const edge = width > 5 ? 1 : 0.7;
    if (width >= 1.4) stroke(pen, tile.lines.get(kind), tone(TONES[kind]![1]), (width + 2 * edge) / pixels);
  }
  for (const kind of ROADS) {
    const width = widthAt(kind, zoom);
    const [inner, outer] = TONES[kind]!;
    // A line too thin for an edge of its own takes the edge's colour, or it would be lost.
    if (width >= 0.3) stroke(pen, tile.lines.get(kind), tone(width >= 1.4 ? inner : outer), Math.max(0.5, width) / pixels);
  }
}

function paintRails(pen: CanvasRenderingContext2D, tile: Tile, zoom: number, pixels: number): void {
  pen.lineCap = "butt";
  for (const kind of [TRAM, RAIL]) {
    const width = widthAt(kind, zoom);
    stroke(pen, tile.lines.get(kind), tone("rail"), width / pixels);
    stroke(pen, tile.lines.get(kind + HIDDEN), tone("rail"), width / pixels, [3 / pixels, 4 / pixels]);
    if (kind === RAIL && zoom >= 13) stroke(pen, tile.lines.get(kind), tone("land"), (width * 0.55) / pixels, [6 / pixels, 6 / pixels]);
  }
}

function fill(pen: CanvasRenderingContext2D, path: Path2D | undefined, style: string): void {
  if (!path) return;
  pen.fillStyle = style;
  pen.fill(path);
}

function stroke(pen: CanvasRenderingContext2D, path: Path2D | undefined, style: string, width: number, dashes: number[] = []): void {
  if (!path || width <= 0) return;
  pen.strokeStyle = style;
  pen.lineWidth = width;
  pen.setLineDash(dashes);
  pen.stroke(path);
}
