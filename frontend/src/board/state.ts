// The board's state as the server tells it, and what the dispatcher is looking at.

import { computed, signal } from "@preact/signals";
import { setClock } from "../shared/time";
import type { Link } from "../shared/live";
import { inTurn } from "../shared/turns";
import type { Lines } from "../shared/way";

export interface Progress { cost?: number; left_out?: number; seconds?: number; of?: number }
export interface LeftOut { stop: string; reason: string; fits: string; place: string }
export interface Plan { id: string; state: string; reason: string; why: string; approximate: boolean; progress: Progress; stop_asked: boolean; failed: string; unserved: LeftOut[] }
export interface Depot { id: string; name: string; lat: number; lon: number; timezone: string; plan: Plan | null }
export interface Position { lat: number; lon: number; at: string; heading: number | null }
export interface Driver { id: string; name: string; colour: string; depot: string; position: Position | null }
export interface Route { id: string; driver: string; depot: string; state: string; starts_at: string; ends_at: string; metres: number; start: [number, number]; end: [number, number]; pauses: { kind: string; after: string; text: string }[] }
export interface Stop {
  id: string; order: string; ref: string; name: string; address: string; merchant: string; depot: string;
  kind: string; state: string; lat: number; lon: number; route: string | null; position: number | null;
  window_start: string | null; window_end: string | null; planned_at: string | null; eta_at: string | null;
  arrived_at: string | null; ended_at: string | null; late: number; reason: string; ad_hoc: boolean;
}
export interface Waiting { id: string; ref: string; name: string; address: string; merchant: string; reason: string; lat: number | null; lon: number | null }
export interface Flag { id: string; kind: string; text: string; subject: string; raised_at: string }
export interface Figure { name: string; label: string; text: string; detail: string }
export interface State {
  now: string; speed: number; day: string; today: string; merchants: Record<string, string>;
  depots: Depot[]; drivers: Driver[]; routes: Route[]; stops: Stop[]; waiting: Waiting[]; flags: Flag[];
  figures: Figure[]; orders: number;
}

export interface Way { route: string; approximate: boolean; credit: string; legs: { stop: string | null; line: [number, number][] }[] }

export const ENDED = new Set(["completed", "partial", "failed", "returning", "returned"]);

const root = document.getElementById("board") as HTMLElement;
export const mayWrite = root.dataset.mayWrite === "yes";
export const mapSettings = { tiles: root.dataset.tiles ?? "", attribution: root.dataset.attribution ?? "", streets: root.dataset.streets ?? "" };

export const state = signal<State | null>(null);
export const day = signal(root.dataset.date ?? "");
export const depot = signal("");
export const chosenRoute = signal("");
export const chosenStop = signal("");
export const pinning = signal<Waiting | null>(null);
export const inserting = signal("");
export const linking = signal("");
export const explaining = signal(""); // id of the plan whose explanation is open
export const fixes = signal<Record<string, Position>>({});
export const link = signal<Link>("polling");
export const failure = signal("");
export const heardAt = signal(0); // Date.now() of the last state
export const tick = signal(0); // changes every few seconds, so that relative times move
export const busy = signal<ReadonlySet<string>>(new Set());

export const depots = computed(() => (state.value?.depots ?? []).filter((d) => !depot.value || d.id === depot.value));
export const routes = computed(() => (state.value?.routes ?? []).filter((r) => !depot.value || r.depot === depot.value));
export const stops = computed(() => (state.value?.stops ?? []).filter((s) => !depot.value || s.depot === depot.value));
export const stopsByRoute = computed(() => {
  const found = new Map<string, Stop[]>();
  for (const stop of stops.value) if (stop.route) found.set(stop.route, [...(found.get(stop.route) ?? []), stop]);
  for (const list of found.values()) list.sort((a, b) => (a.position ?? 0) - (b.position ?? 0));
  return found;
});
export const unassigned = computed(() => stops.value.filter((s) => s.state === "unassigned"));
export const drivers = computed(() => new Map((state.value?.drivers ?? []).map((d) => [d.id, d])));
export const planning = computed(() => depots.value.some((d) => d.plan?.state === "waiting" || d.plan?.state === "running"));

/** The zone in which to show what belongs to a depot. */
export function zoneOf(depotId: string): string {
  return state.value?.depots.find((d) => d.id === depotId)?.timezone ?? "UTC";
}

/** Where a driver is: the newest of what the state and the live channel said. */
export function positionOf(driver: Driver): Position | null {
  const fix = fixes.value[driver.id];
  if (!fix) return driver.position;
  return driver.position && Date.parse(driver.position.at) > Date.parse(fix.at) ? driver.position : fix;
}

/** The lines of the routes along the streets, by route; those that are not known are missing. */
export const ways = signal<ReadonlyMap<string, Way>>(new Map());
let waysTag = "";
let waysAsked = "";
let waysTries = 0;

/** Fetch the routes' lines when their stops have changed; a worker needs a moment to find them. */
async function loadWays(): Promise<void> {
  const key = JSON.stringify([day.value, ...routes.value.map((r) => [r.id, (stopsByRoute.value.get(r.id) ?? []).map((s) => s.id)])]);
  if (key !== waysAsked) [waysAsked, waysTries] = [key, 0];
  const open = routes.value.filter((r) => !linesOf(r.id));
  if (waysTries > 0 && (open.length === 0 || waysTries > 12)) return;
  waysTries += 1;
  if (open.length > 0) window.setTimeout(() => waysAsked === key && void loadWays().catch(() => undefined), 2_000);
  await fetchWays();
}

const fetchWays = inTurn(async (signal) => {
  const asked = day.value;
  const response = await fetch(`/board/ways${asked ? `?date=${asked}` : ""}`, {
    headers: { Accept: "application/json", ...(waysTag ? { "If-None-Match": waysTag } : {}) },
    cache: "no-store",
    credentials: "same-origin",
    signal,
  });
  if (response.status === 304 || !response.ok) return;
  const found = (await response.json()) as { ways: Way[] };
  if (asked !== day.value) return;
  waysTag = response.headers.get("ETag") ?? "";
  ways.value = new Map(found.ways.map((way) => [way.route, way]));
});

/** The stops that a route leads to, without those that are left out. */
export function visitsOf(route: string): Stop[] {
  return (stopsByRoute.value.get(route) ?? []).filter((s) => s.state !== "skipped" && s.state !== "cancelled");
}

/** The lines of a route, one a leg, where they lead along its stops as they are now. */
export function linesOf(route: string): Lines | undefined {
  const way = ways.value.get(route);
  const list = visitsOf(route);
  const fits = way?.legs.length === list.length + 1 && list.every((s, at) => way.legs[at]!.stop === s.id);
  return fits ? way.legs.map((leg) => leg.line) : undefined;
}

let tag = "";

/** Fetch the state; calls that come while one is running share the one after it. */
export const load = inTurn(async (signal) => {
  const asked = day.value;
  const response = await fetch(`/board/state${asked ? `?date=${asked}` : ""}`, {
    headers: { Accept: "application/json", ...(tag ? { "If-None-Match": tag } : {}) },
    cache: "no-store",
    credentials: "same-origin",
    signal,
  });
  if (response.status === 401 || response.status === 403) {
    location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
    return;
  }
  if (response.status !== 304) {
    if (!response.ok) throw new Error(`the hub answered ${response.status}`);
    const found = (await response.json()) as State;
    if (asked !== day.value) return;
    tag = response.headers.get("ETag") ?? "";
    setClock(found);
    state.value = found;
  }
  failure.value = "";
  heardAt.value = Date.now();
  void loadWays().catch(() => undefined); // without lines the map joins the stops
});

/** Show another day; an empty one is today. */
export function showDay(next: string): void {
  day.value = next;
  tag = "";
  chosenRoute.value = "";
  chosenStop.value = "";
  waysTag = "";
  history.replaceState(null, "", next ? `/?date=${next}` : "/");
  void load().catch(() => undefined);
}

let waiting = 0;

/** Fetch the state soon: many pieces of news in a row are one fetch. */
export function loadSoon(): void {
  if (waiting) return;
  waiting = window.setTimeout(() => {
    waiting = 0;
    void load().catch(() => undefined);
  }, 700);
}
