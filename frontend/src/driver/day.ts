// The day as the driver sees it: what the hub says, with what it has not heard yet laid over it.

import { batch, computed, signal } from "@preact/signals";
import { hubNow } from "../shared/time";
import { inTurn } from "../shared/turns";
import { here } from "./position";
import { say, settling, waiting, type Kind, type Picture, type Report } from "./outbox";
import { fetchSheet, fetchWay, Refusal, type Leg, type Route, type Sheet, type Stop, type Way } from "./sheet";
import type { Lines } from "../shared/way";

export const sheet = signal<Sheet | null>(null);
/** The way along the streets, once the hub knows it. */
export const way = signal<Way | null>(null);
/** Why the sheet could not be fetched; empty while it is fresh. */
export const stale = signal("");
/** When the sheet was last confirmed, by the phone's own clock. */
export const heardAt = signal(0);
/** The stop that the driver looks at; empty for whichever is next. */
export const chosen = signal("");

const AFTER: Record<Kind, string> = {
  start: "",
  arrive: "arrived",
  depart: "",
  complete: "completed",
  partial: "partial",
  fail: "failed",
};
const ENDED = new Set(["completed", "partial", "failed", "returning", "returned"]);
const OPEN = new Set(["dispatched", "en_route", "arrived"]);

/** The route, already started or closed where the driver has said so. */
export const route = computed<Route | null>(() => {
  const found = sheet.value?.route ?? null;
  if (!found || found.state === "closed") return found;
  const started = mine().some((report) => report.kind !== "depart");
  return started ? { ...found, state: "in_progress" } : found;
});

/** The stops with everything that was said about them, in driving order. */
export const stops = computed<Stop[]>(() => {
  const said = new Map<string, Stop>((sheet.value?.stops ?? []).map((stop) => [stop.id, { ...stop }]));
  for (const report of mine()) {
    const stop = report.stop === null ? undefined : said.get(report.stop);
    if (!stop) continue;
    if (AFTER[report.kind]) stop.state = AFTER[report.kind];
    if (report.kind === "arrive") stop.arrived_at = report.at;
    if (report.kind === "depart") stop.departed_at = report.at;
    if (ENDED.has(stop.state)) stop.ended_at ??= report.at;
  }
  return [...said.values()];
});

/** The stop to do now: the chosen one while it is open, else where the driver is, else the next. */
export const current = computed<Stop | null>(() => {
  const open = stops.value.filter((stop) => OPEN.has(stop.state));
  const rank: Record<string, number> = { arrived: 0, en_route: 1, dispatched: 2 };
  const first = [...open].sort((a, b) => rank[a.state]! - rank[b.state]! || a.position - b.position)[0];
  return open.find((stop) => stop.id === chosen.value) ?? first ?? null;
});

/** The stop that was ended but not yet left. */
const lingering = computed(() => stops.value.find((s) => ENDED.has(s.state) && s.arrived_at && !s.departed_at && s.ended_at) ?? null);

/** How to get to a stop from the one before it; null where no map knows, or the order has changed. */
export function legTo(stop: Stop): Leg | null {
  const at = legs().findIndex((leg) => leg.stop === stop.id);
  const list = stops.value.filter((one) => one.state !== "skipped" && one.state !== "cancelled");
  const before = list[list.findIndex((one) => one.id === stop.id) - 1]?.id;
  const leg = legs()[at];
  return leg && legs()[at - 1]?.stop === before && leg.steps.length > 0 ? leg : null;
}

/** The lines of the way, one a leg. */
export const lines = (): Lines => legs().map((leg) => leg.line);

function legs(): Leg[] {
  return way.value?.route === route.value?.id ? (way.value?.legs ?? []) : [];
}

/** How to get home from the last stop. */
export function legHome(): Leg | null {
  const leg = legs().at(-1);
  return leg && leg.stop === null && leg.steps.length > 0 ? leg : null;
}

export const isOpen = (stop: Stop): boolean => OPEN.has(stop.state);
export const isEnded = (stop: Stop): boolean => ENDED.has(stop.state);

function mine(): Report[] {
  const held = waiting.value.filter((entry) => !entry.refused).map((entry) => entry.report);
  const ids = new Set(held.map((report) => report.id));
  return [...settling.value.filter((report) => !ids.has(report.id)), ...held];
}

/** Fetch the sheet anew; a failure leaves the last one in place and says how old it is. */
export const refresh = inTurn(async () => {
  const before = new Set(settling.value);
  try {
    const fresh = await fetchSheet();
    batch(() => {
      if (fresh) sheet.value = fresh;
      settling.value = settling.value.filter((report) => !before.has(report));
    });
    heardAt.value = Date.now();
    stale.value = "";
    if (route.value) void findWay().catch(() => undefined); // the list works without it
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) location.reload();
    stale.value = error instanceof Error ? error.message : String(error);
  }
});

const findWay = inTurn(async () => {
  way.value = (await fetchWay()) ?? way.value;
});

/** Say that the route begins. */
export function start(): Promise<void> {
  return report("start", null);
}

/** Say that the driver is at the door, having left the one before. */
export async function arrive(stop: Stop): Promise<void> {
  await leave();
  if (stop.state !== "arrived") await report("arrive", stop);
}

/** Say that the driver has left the stop that was just ended, if that was not said. */
export async function leave(): Promise<void> {
  const behind = lingering.value;
  if (behind && route.value?.state === "in_progress") await report("depart", behind);
}

/** Say how a stop ended. */
export async function finish(kind: Kind, stop: Stop, more: Partial<Report>, pictures: Picture[]): Promise<void> {
  await report(kind, stop, more, pictures);
  chosen.value = "";
}

function report(kind: Kind, stop: Stop | null, more: Partial<Report> = {}, pictures: Picture[] = []): Promise<void> {
  const fix = here.value;
  const place = fix ? { lat: fix.lat, lon: fix.lon, accuracy: Math.round(fix.accuracy) } : {};
  const said: Report = {
    id: uuid(),
    kind,
    stop: stop?.id ?? null,
    at: new Date(hubNow()).toISOString(),
    ...place,
    ...more,
  };
  return say(said, pictures);
}

/** A random UUID; `crypto.randomUUID` is missing where the address is not secure. */
function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
