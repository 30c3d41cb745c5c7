// The line of a route on a map: along the streets where they are known, else straight.

import type { Point } from "./map";

/** The way from each point to the next: [lat, lon] along the road. */
export type Lines = Point[][];

/**
 * Split a route at its `done`-th leg: what is driven, and what is to come.
 *
 * `points` are the places in order, first and last included; `lines` has one line a leg. Where it
 * does not fit the points, as after a change that is not yet worked out, the line is straight.
 */
export function wayOf(points: Point[], lines: Lines | undefined, done: number): { driven: Point[]; ahead: Point[] } {
  const fits = lines !== undefined && lines.length === points.length - 1;
  const leg = (n: number): Point[] => {
    const line = fits ? lines[n]! : [];
    return line.length > 1 ? line : [points[n]!, points[n + 1]!];
  };
  const along = (from: number, to: number): Point[] => {
    const out: Point[] = [];
    for (let n = from; n < to; n++) out.push(...(out.length ? leg(n).slice(1) : leg(n)));
    return out;
  };
  return { driven: along(0, done), ahead: along(done, points.length - 1) };
}
