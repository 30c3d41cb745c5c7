// The map of the driver's route, loaded when it is opened: stops by number, the way, this phone.

import { effect } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { HubMap, Point } from "../shared/map";
import { loadStyle } from "../shared/style";
import { wayOf } from "../shared/way";
import { current, isEnded, isOpen, lines, route, stops, way } from "./day";
import { here } from "./position";
import type { Stop } from "./sheet";

const NUMBERED = 8; // stops ahead that bear their number; more would lie on top of each other
const root = document.getElementById("app")!;

export function RouteMap({ pick }: { pick: (id: string) => void }) {
  const element = useRef<HTMLDivElement>(null);
  const [trouble, setTrouble] = useState("");
  useEffect(() => {
    let stop = () => {};
    let gone = false;
    open(element.current!, pick).then(
      (end) => (gone ? end() : (stop = end)),
      () => setTrouble("The map cannot be loaded. Check the phone's connection, then open it again."),
    );
    return () => {
      gone = true;
      stop();
    };
  }, []);
  if (trouble) return <p class="notice warn" role="status">{trouble}</p>;
  return <div class="route-map"><div ref={element} role="application" aria-label="Map of your route. The list below says the same." /></div>;
}

async function open(element: HTMLElement, pick: (id: string) => void): Promise<() => void> {
  const { tiles, attribution, streets, mapStyle } = root.dataset;
  Object.assign(element.dataset, { tiles, attribution, streets });
  const [{ HubMap }] = await Promise.all([import("../shared/map"), loadStyle(mapStyle!)]);
  const map = new HubMap(element, { zoomControl: false });
  let fitted = "";
  const ends = [
    effect(() => {
      draw(map, pick);
      const next = current.value?.id ?? "home";
      if (fitted === next || stops.value.length === 0) return;
      map.fit(near(), fitted !== "");
      fitted = next;
    }),
    effect(() => {
      const fix = here.value;
      if (fix) map.setBadge("here", [fix.lat, fix.lon], "You", "--accent", "", undefined, NUMBERED + 1);
    }),
  ];
  return () => {
    for (const end of ends) end();
    map.leaflet.remove();
  };
}

/** The stops that the way leads to. */
const visits = () => stops.value.filter((stop) => stop.state !== "skipped" && stop.state !== "cancelled");

/** What the driver needs to see now: this phone, and the stops that come next. */
function near(): Point[] {
  const fix = here.peek();
  const ahead = upcoming().slice(0, 3).map((stop): Point => [stop.lat, stop.lon]);
  if (ahead.length === 0) return placesOf();
  const { start } = route.value!;
  return [fix ? [fix.lat, fix.lon] : [start.lat, start.lon], ...ahead];
}

/** The open stops, the one that is done now before the others. */
function upcoming(): Stop[] {
  const now = current.value?.id;
  return stops.value.filter(isOpen).sort((a, b) => Number(b.id === now) - Number(a.id === now) || a.position - b.position);
}

function placesOf(): Point[] {
  const { start, end } = route.value!;
  return [[start.lat, start.lon], ...visits().map((stop): Point => [stop.lat, stop.lon]), [end.lat, end.lon]];
}

function draw(map: HubMap, pick: (id: string) => void): void {
  const day = route.value;
  if (!day) return;
  const done = visits().reduce((last, stop, at) => (isEnded(stop) || stop.state === "arrived" ? at + 1 : last), 0);
  const { driven, ahead } = wayOf(placesOf(), lines(), done);
  map.setCredits([lines().length > 0 ? (way.value?.credit ?? "") : ""]);
  map.setLines([
    { id: "driven", points: driven, colour: "--calm", weight: 3, faint: true },
    { id: "ahead", points: ahead, colour: "--accent", weight: 4 },
  ]);
  const numbered = upcoming().slice(0, NUMBERED);
  map.setDots([
    { id: "depot", at: [day.depot.lat, day.depot.lon], colour: "--ink", radius: 8, label: `${day.depot.name} (depot)` },
    ...stops.value.filter((stop) => !numbered.includes(stop)).map((stop) => ({
      id: stop.id,
      at: [stop.lat, stop.lon] as Point,
      colour: isOpen(stop) ? "--calm" : `--state-${stop.state}`,
      hollow: isOpen(stop),
      radius: 6,
      label: `${stop.position}. ${stop.address || stop.name || stop.ref}`,
    })),
  ], (id) => stops.peek().some((stop) => stop.id === id && isOpen(stop)) && pick(id));
  for (const [at, stop] of numbered.entries()) {
    const next = stop.id === current.value?.id;
    map.setBadge(stop.id, [stop.lat, stop.lon], `${stop.position}`, next ? "--state-en_route" : "--calm", stop.address || stop.name, () => pick(stop.id), NUMBERED - at);
  }
  map.keepBadges([...numbered.map((stop) => stop.id), ...(here.peek() ? ["here"] : [])]);
}
