// The map of the driver's route, loaded when it is opened: stops by number, the way, this phone.

import { effect } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { HubMap, Point } from "../shared/map";
import { loadStyle } from "../shared/style";
import { wayOf } from "../shared/way";
import { current, isEnded, isOpen, lines, route, stops, way } from "./day";
import { here } from "./position";

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
  let fitted = false;
  const ends = [
    effect(() => {
      draw(map, pick);
      if (fitted || stops.value.length === 0) return;
      fitted = true;
      map.fit(placesOf());
    }),
    effect(() => {
      const fix = here.value;
      if (fix) map.setBadge("here", [fix.lat, fix.lon], "You", "--accent");
    }),
  ];
  return () => {
    for (const end of ends) end();
    map.leaflet.remove();
  };
}

function placesOf(): Point[] {
  const depot = route.value!.depot;
  const home: Point = [depot.lat, depot.lon];
  return [home, ...stops.value.map((stop): Point => [stop.lat, stop.lon]), home];
}

function draw(map: HubMap, pick: (id: string) => void): void {
  const day = route.value;
  if (!day) return;
  const done = stops.value.reduce((last, stop, at) => (isEnded(stop) || stop.state === "arrived" ? at + 1 : last), 0);
  const { driven, ahead } = wayOf(placesOf(), lines(), done);
  map.setCredits([lines().length > 0 ? (way.value?.credit ?? "") : ""]);
  map.setLines([
    { id: "driven", points: driven, colour: "--calm", weight: 3, faint: true },
    { id: "ahead", points: ahead, colour: "--accent", weight: 4 },
  ]);
  map.setDots([
    { id: "depot", at: [day.depot.lat, day.depot.lon], colour: "--ink", radius: 8, label: `${day.depot.name} (depot)` },
    ...stops.value.filter((stop) => !isOpen(stop)).map((stop) => ({ id: stop.id, at: [stop.lat, stop.lon] as Point, colour: `--state-${stop.state}`, radius: 6, label: stop.name || stop.ref })),
  ]);
  const numbered = stops.value.filter(isOpen);
  for (const stop of numbered) {
    const next = stop.id === current.value?.id;
    map.setBadge(stop.id, [stop.lat, stop.lon], `${stop.position}`, next ? "--state-en_route" : "--calm", stop.address || stop.name, () => pick(stop.id));
  }
  map.keepBadges([...numbered.map((stop) => stop.id), ...(here.peek() ? ["here"] : [])]);
}
