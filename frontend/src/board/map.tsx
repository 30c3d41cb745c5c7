// The map of the day: depots, routes, stops by state, drivers where they are now.

import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { HubMap, type Dot, type Line, type Point } from "../shared/map";
import { hour, near } from "../shared/time";
import { wayOf } from "../shared/way";
import { reasonWord, stateWord } from "../shared/words";
import { setPin } from "./acts";
import type { Driver, Stop } from "./state";
import { ENDED, chosenRoute, chosenStop, depot, depots, drivers, linesOf, mapSettings, pinning, positionOf, routes, state, stops, stopsByRoute, tick, visitsOf, ways, zoneOf } from "./state";

export function BoardMap() {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const node = element.current;
    if (!node) return;
    node.dataset.tiles = mapSettings.tiles;
    node.dataset.attribution = mapSettings.attribution;
    node.dataset.streets = mapSettings.streets;
    const map = new HubMap(node);
    const ends = [effect(() => drawDay(map)), effect(() => drawDrivers(map)), effect(() => fitDay(map)), effect(() => showChosen(map)), choosePlace(map)];
    return () => ends.forEach((end) => end());
  }, []);
  return (
    <div class="board-map">
      <div ref={element} class="map" role="application" aria-label="Map of the day: stops, routes and drivers. The list beside it says the same." />
      {pinning.value && (
        <p class="map-ask" role="status">
          <span>Click on the map where <strong>{pinning.value.address || pinning.value.name || pinning.value.ref}</strong> is.</span>
          <button type="button" class="button" onClick={() => (pinning.value = null)}>Cancel</button>
        </p>
      )}
    </div>
  );
}

function drawDay(map: HubMap): void {
  const chosen = chosenRoute.value;
  const lines: Line[] = [];
  for (const route of routes.value) {
    const here = visitsOf(route.id);
    if (here.length === 0) continue;
    const points: Point[] = [route.start, ...here.map((s): Point => [s.lat, s.lon]), route.end];
    // The part that is driven fades, so that the eye rests on what is still to come.
    const driven = here.reduce((last, s, at) => (ENDED.has(s.state) || s.state === "arrived" ? at + 1 : last), 0);
    const way = wayOf(points, linesOf(route.id), driven);
    const shared = { colour: drivers.value.get(route.driver)?.colour ?? "--calm", dashed: route.state === "draft" };
    const other = chosen !== "" && chosen !== route.id;
    lines.push({ ...shared, id: `${route.id} driven`, points: way.driven, weight: 2, faint: true });
    if (route.state === "closed") continue;
    lines.push({ ...shared, id: route.id, points: way.ahead, faint: other, weight: chosen === route.id ? 4 : 2.5 });
  }
  map.setLines(lines);
  map.setCredits(routes.value.map((route) => (linesOf(route.id) ? (ways.value.get(route.id)?.credit ?? "") : "")));
  const dots: Dot[] = depots.value.map((d) => ({ id: d.id, at: [d.lat, d.lon], colour: "--ink", radius: 8, label: `${d.name} (depot)` }));
  for (const stop of stops.value) if (!chosen || stop.route === chosen || !stop.route) dots.push(dotOf(stop));
  map.setDots(dots, (id) => {
    const stop = stops.value.find((s) => s.id === id);
    if (stop) chosenStop.value = id;
  });
}

function dotOf(stop: Stop): Dot {
  const route = routes.value.find((r) => r.id === stop.route);
  const own = drivers.value.get(route?.driver ?? "")?.colour ?? "--calm";
  const waiting = ["planned", "dispatched"].includes(stop.state);
  const late = stop.late > 0 && !ENDED.has(stop.state);
  return {
    id: stop.id,
    at: [stop.lat, stop.lon],
    colour: late ? "--warn" : waiting ? own : `--state-${stop.state}`,
    hollow: waiting,
    radius: stop.state === "en_route" || stop.state === "arrived" ? 8 : 6,
    label: words(stop, late),
  };
}

function words(stop: Stop, late: boolean): string {
  const zone = zoneOf(stop.depot);
  const parts = [`${stop.position ? `${stop.position}. ` : ""}${stop.name || stop.ref}`, stateWord(stop.state, stop.kind)];
  if (stop.reason) parts.push(reasonWord(stop.reason));
  if (ENDED.has(stop.state)) parts.push(hour(stop.ended_at ?? stop.arrived_at, zone));
  else if (stop.eta_at ?? stop.planned_at) parts.push(`ETA ${hour(stop.eta_at ?? stop.planned_at, zone)}`);
  if (late) parts.push(`${stop.late} min late`);
  return parts.join(" · ");
}

function drawDrivers(map: HubMap): void {
  const shown: string[] = [];
  tick.value;
  const today = state.value?.day === state.value?.today;
  for (const driver of today ? drivers.value.values() : []) {
    const position = positionOf(driver);
    if (!position || (depot.value && driver.depot !== depot.value)) continue;
    const route = routes.value.find((r) => r.driver === driver.id && r.state === "in_progress");
    shown.push(driver.id);
    map.setBadge(driver.id, [position.lat, position.lon], initials(driver), driver.colour, `${driver.name}, seen ${near(position.at, zoneOf(driver.depot))}`, () => {
      if (route) chosenRoute.value = route.id;
    });
  }
  map.keepBadges(shown);
}

function initials(driver: Driver): string {
  return driver.name.split(/\s+/).map((part) => part[0] ?? "").join("").slice(0, 2).toUpperCase();
}

let fitted = "";

function fitDay(map: HubMap): void {
  const what = `${state.value?.day ?? ""} ${depot.value} ${stops.value.length > 0}`;
  if (!state.value || what === fitted) return;
  fitted = what;
  const points: Point[] = [...depots.value, ...stops.value].map((p) => [p.lat, p.lon]);
  map.fit(points);
}

function showChosen(map: HubMap): void {
  const stop = stops.peek().find((s) => s.id === chosenStop.value);
  if (stop && !map.leaflet.getBounds().contains([stop.lat, stop.lon])) map.leaflet.panTo([stop.lat, stop.lon]);
  const list = stopsByRoute.peek().get(chosenRoute.value);
  if (list && chosenRoute.value) map.fit(list.map((s): Point => [s.lat, s.lon]), true);
}

function choosePlace(map: HubMap): () => void {
  let stop = () => {};
  const end = effect(() => {
    stop();
    const order = pinning.value;
    stop = order ? map.choose(([lat, lon]) => void setPin(order, lat, lon)) : () => {};
  });
  return () => {
    stop();
    end();
  };
}
