// What buttons and headings are called, by the kind of stop.

import type { Kind } from "./outbox";

export interface Ending {
  button: string;
  title: string;
  confirm: string;
  tone: string;
}

const verbs: Record<string, [string, string]> = {
  delivery: ["Delivered", "delivered"],
  collection: ["Collected", "collected"],
  service: ["Done", "done"],
};

/** The words for every way a stop can end. */
export function endings(kind: string): Partial<Record<Kind, Ending>> {
  const [head, verb] = verbs[kind] ?? verbs.delivery!;
  return {
    complete: { button: head, title: `${head}: everything`, confirm: `Confirm: ${verb}`, tone: "good" },
    partial: { button: "Only part of it", title: `Only a part was ${verb}`, confirm: `Confirm: partly ${verb}`, tone: "warn" },
    fail: { button: `Not ${verb}`, title: `Not ${verb}`, confirm: `Confirm: not ${verb}`, tone: "bad" },
  };
}

/** The address that opens turn-by-turn navigation: the phone's own choice on Android. */
export function navigation(lat: number, lon: number): string {
  const at = `${lat.toFixed(6)},${lon.toFixed(6)}`;
  return /Android/.test(navigator.userAgent) ? `geo:${at}?q=${at}` : `https://www.google.com/maps/dir/?api=1&destination=${at}`;
}

/** Metres as a driver reads them: 40 m, 350 m, 2.4 km, 18 km. */
export function distance(metres: number): string {
  if (metres < 1000) return `${metres < 100 ? Math.round(metres / 10) * 10 : Math.round(metres / 50) * 50} m`;
  return `${metres < 10_000 ? (metres / 1000).toFixed(1) : Math.round(metres / 1000)} km`;
}
