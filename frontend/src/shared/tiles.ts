// The tiles of the loaded maps' street layer: fetched once, unpacked into shapes to paint.
// What a tile holds and what its numbers mean is told in hub/maps/tiles.py and hub/maps/kinds.py.

import type { Point } from "./map";

export interface StreetMap {
  url: string; // with {z}, {x}, {y}
  bounds: [south: number, west: number, north: number, east: number];
  credit: string;
}

export const EXTENT = 4096;
const LEVELS = [8, 10, 12, 14];
const KEPT = 160; // tiles that are held in memory

export interface Label { rank: number; x: number; y: number; text: string }
export interface Street { kind: number; hidden: boolean; name: string; ref: string; points: Float32Array; length: number }
export interface Tile {
  areas: Map<number, Path2D>;
  lines: Map<number, Path2D>; // class, plus 100 where it runs underground
  streets: Street[]; // what bears a name or a number
  labels: Label[];
  houses: { x: number; y: number; text: string }[];
}
export interface Key { z: number; x: number; y: number }

interface Packed {
  n?: string[];
  a?: [number, ...number[][]][];
  l?: [number, number, number, number, number[]][];
  p?: [number, number, number, string][];
  h?: [number, number, string][];
}

/** The level whose tiles are drawn at a zoom. */
export function levelAt(zoom: number): number {
  return LEVELS.filter((level) => level <= zoom).pop() ?? LEVELS[0]!;
}

export class Tiles {
  private held = new Map<string, Promise<Tile | null>>();
  private ready = new Map<string, Tile>();
  /** Called when another tile has come. */
  onmore: () => void = () => {};

  constructor(readonly map: StreetMap) {}

  /** The tile, or null where it cannot be had now. */
  get(key: Key): Promise<Tile | null> {
    const name = `${key.z}/${key.x}/${key.y}`;
    let found = this.held.get(name);
    if (found) this.held.delete(name); // asked for last, forgotten last
    else found = this.fetch(key, name);
    this.held.set(name, found);
    return found;
  }

  /** The tile if it is there already. */
  peek(key: Key): Tile | undefined {
    return this.ready.get(`${key.z}/${key.x}/${key.y}`);
  }

  private async fetch(key: Key, name: string): Promise<Tile | null> {
    try {
      const url = this.map.url.replace("{z}", `${key.z}`).replace("{x}", `${key.x}`).replace("{y}", `${key.y}`);
      const response = await fetch(url, { credentials: "same-origin" });
      if (!response.ok) throw new Error(`${response.status}`);
      const tile = unpack((await response.json()) as Packed);
      this.ready.set(name, tile);
      this.forget();
      this.onmore();
      return tile;
    } catch {
      this.held.delete(name); // offline, or the map was loaded anew: the next look tries again
      return null;
    }
  }

  private forget(): void {
    for (const name of this.held.keys()) {
      if (this.held.size <= KEPT) return;
      this.held.delete(name);
      this.ready.delete(name);
    }
  }
}

function unpack(packed: Packed): Tile {
  const tile: Tile = { areas: new Map(), lines: new Map(), streets: [], labels: [], houses: [] };
  for (const [kind, ...rings] of packed.a ?? []) {
    const path = pathOf(tile.areas, kind);
    for (const ring of rings) trace(path, ring, true);
  }
  for (const [kind, hidden, name, ref, steps] of packed.l ?? []) {
    trace(pathOf(tile.lines, kind + (hidden ? 100 : 0)), steps, false);
    if (name >= 0 || ref >= 0) tile.streets.push({ kind, hidden: !!hidden, name: packed.n?.[name] ?? "", ref: packed.n?.[ref] ?? "", ...measured(steps) });
  }
  tile.labels = (packed.p ?? []).map(([rank, x, y, text]) => ({ rank, x, y, text }));
  tile.houses = (packed.h ?? []).map(([x, y, text]) => ({ x, y, text }));
  return tile;
}

function pathOf(paths: Map<number, Path2D>, kind: number): Path2D {
  let path = paths.get(kind);
  if (!path) paths.set(kind, (path = new Path2D()));
  return path;
}

function trace(path: Path2D, steps: number[], closed: boolean): void {
  let x = steps[0]!, y = steps[1]!;
  path.moveTo(x, y);
  for (let at = 2; at < steps.length; at += 2) path.lineTo((x += steps[at]!), (y += steps[at + 1]!));
  if (closed) path.closePath();
}

function measured(steps: number[]): { points: Float32Array; length: number } {
  const points = new Float32Array(steps.length);
  let length = 0;
  for (let at = 0; at < steps.length; at += 2) {
    points[at] = (at ? points[at - 2]! : 0) + steps[at]!;
    points[at + 1] = (at ? points[at - 1]! : 0) + steps[at + 1]!;
    if (at) length += Math.hypot(steps[at]!, steps[at + 1]!);
  }
  return { points, length };
}

/** Whether a point lies within a map. */
export function within({ bounds: [south, west, north, east] }: StreetMap, [lat, lon]: Point): boolean {
  return south <= lat && lat <= north && west <= lon && lon <= east;
}
