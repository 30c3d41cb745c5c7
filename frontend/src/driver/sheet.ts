// What the hub says about the driver's day, and how it is fetched.

import { setClock } from "../shared/time";
import type { Lines } from "../shared/way";

export interface Line { id: string; name: string; sku: string; quantity: number }

export interface Stop {
  id: string;
  position: number;
  state: string;
  kind: string;
  ref: string;
  name: string;
  phone: string;
  address: string;
  lat: number;
  lon: number;
  window_start: string | null;
  window_end: string | null;
  notes: string;
  cash_due: string | null;
  currency: string;
  lines: Line[];
  eta_at: string | null;
  planned_at: string | null;
  arrived_at: string | null;
  departed_at: string | null;
  ended_at: string | null;
  reason: string;
}

export interface Pause { kind: string; after: string; begins_at: string; ends_at: string; text: string }

export interface Route {
  id: string;
  state: string;
  service_date: string;
  depot: { name: string; lat: number; lon: number; timezone: string };
  start: { lat: number; lon: number };
  end: { lat: number; lon: number };
  pauses: Pause[];
  loading: string[][];
}

export interface Sheet {
  now: string;
  speed: number;
  driver: { id: string; name: string };
  route: Route | null;
  stops: Stop[];
  reasons: { code: string; label: string }[];
}

export interface Step { text: string; metres: number; seconds: number }

export interface Leg { stop: string | null; metres: number; seconds: number; line: Lines[number]; steps: Step[] }

/** The way of the route along the streets, a leg to each stop and one home. */
export interface Way { route: string; legs: Leg[]; approximate: boolean; credit: string }

/** The hub did not take a request: `status` 0 means that it could not be reached. */
export class Refusal extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }

  /** Whether the same request may work later. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Call the driver's API; throws `Refusal` with the hub's own words. */
export async function call(path: string, options: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`/api/v1/driver/${path}`, {
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(30_000),
      ...options,
    });
  } catch {
    throw new Refusal(0, "The hub cannot be reached.");
  }
  if (response.ok || response.status === 304) return response;
  const said = (await response.json().catch(() => null)) as { detail?: string } | null;
  throw new Refusal(response.status, said?.detail ?? `The hub answered ${response.status}.`);
}

let wayTag = "";

/** Fetch the way, or null where it is not known yet or has not changed. */
export async function fetchWay(): Promise<Way | null> {
  const response = await call("way", { headers: wayTag ? { "If-None-Match": wayTag } : {} });
  if (response.status === 304) return null;
  const way = (await response.json()) as Partial<Way>;
  wayTag = response.headers.get("ETag") ?? ""; // once all of it has come
  return way.legs ? (way as Way) : null;
}

let tag = "";

/** Fetch the sheet, or null where it has not changed since the last time. */
export async function fetchSheet(): Promise<Sheet | null> {
  const headers: Record<string, string> = tag ? { "If-None-Match": tag } : {};
  const response = await call("route", { headers });
  if (response.status === 304) return null;
  const sheet = (await response.json()) as Sheet;
  tag = response.headers.get("ETag") ?? ""; // once all of it has come
  setClock(sheet);
  return sheet;
}
