// The map of the tracking page: your door, and the driver while on the way to it.

import { HubMap, type Point } from "../shared/map";
import { loadStyle } from "../shared/style";

interface Dot {
  lat: number;
  lon: number;
}

export interface Picture {
  home: Dot | null;
  driver: Dot | null;
}

let map: HubMap | null = null;
let shown: Point | null = null;
let frame = 0;

export async function draw(element: HTMLElement, style: string, { home, driver }: Picture): Promise<void> {
  if (!home) return;
  await loadStyle(style);
  if (!map) {
    const mouse = matchMedia("(pointer: fine)").matches;
    // On a phone one finger scrolls the page, two move the map.
    map = new HubMap(element, { scrollWheelZoom: false, dragging: mouse, keyboard: false });
  }
  const door: Point = [home.lat, home.lon];
  map.setBadge("home", door, "You", "--ink-2");
  if (driver) move([driver.lat, driver.lon], door);
  else {
    cancelAnimationFrame(frame);
    shown = null;
    map.keepBadges(["home"]);
    map.fit([door]);
  }
}

// The sign glides to its new place, unless the reader wants things to keep still.
function move(to: Point, door: Point): void {
  const from = shown;
  const still = !from || matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (!from || !map!.leaflet.getBounds().pad(-0.1).contains(to)) map!.fit([to, door], !!from && !still);
  cancelAnimationFrame(frame);
  if (still) return place(to);
  const began = performance.now();
  const step = (now: number) => {
    const share = Math.min(1, (now - began) / 900);
    place([from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share]);
    if (share < 1) frame = requestAnimationFrame(step);
  };
  frame = requestAnimationFrame(step);
}

function place(at: Point): void {
  shown = at;
  map!.setBadge("driver", at, "Driver", "--accent");
}
