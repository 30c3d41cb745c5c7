// Tells hub time and shows instants in the depot's zone: relative when near, exact in the title.

export interface Clock {
  now: string; // hub time when the answer was made, RFC 3339
  speed: number; // hub seconds per real second: 1, more in a demo, 0 when time stands still
}

let anchor = Date.now();
let heard = performance.now();
let speed = 1;

/** Follow the server's clock from here on. */
export function setClock(clock: Clock): void {
  const fresh = Date.parse(clock.now);
  if (Number.isNaN(fresh)) return;
  anchor = fresh;
  heard = performance.now();
  speed = clock.speed;
}

/** Hub time in milliseconds since 1970. */
export function hubNow(): number {
  return anchor + (performance.now() - heard) * speed;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = zone + JSON.stringify(options);
  let found = formats.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options });
    formats.set(key, found);
  }
  return found;
}

/** "14:05" in `zone`; an en dash where there is nothing to show. */
export function hour(at: string | null | undefined, zone: string): string {
  if (!at) return "–";
  return format(zone, { hour: "2-digit", minute: "2-digit" }).format(new Date(at));
}

/** "Mon 23 Nov 2026, 14:05:09" in `zone`, for titles. */
export function exact(at: string | null | undefined, zone: string): string {
  if (!at) return "";
  return format(zone, {
    weekday: "short", day: "numeric", month: "short", year: "numeric",
    hour: "2-digit", minute: "2-digit", second: "2-digit",
  }).format(new Date(at));
}

/** "08:00–12:00", or a plain word when there is no window. */
export function span(start: string | null | undefined, end: string | null | undefined, zone: string): string {
  if (!start && !end) return "any time";
  if (!start) return `until ${hour(end, zone)}`;
  if (!end) return `from ${hour(start, zone)}`;
  return `${hour(start, zone)}–${hour(end, zone)}`;
}

/** "in 12 min", "4 min ago", "now"; beyond 90 minutes the hour in `zone`. */
export function near(at: string | null | undefined, zone: string, now = hubNow()): string {
  if (!at) return "–";
  const minutes = Math.round((Date.parse(at) - now) / 60_000);
  if (Math.abs(minutes) > 90) return hour(at, zone);
  if (minutes === 0) return "now";
  return minutes > 0 ? `in ${minutes} min` : `${-minutes} min ago`;
}

/** Whole minutes from `from` to `to`; negative when `to` is earlier. */
export function minutesBetween(from: string | number, to: string | number): number {
  const at = (x: string | number) => (typeof x === "number" ? x : Date.parse(x));
  return Math.round((at(to) - at(from)) / 60_000);
}

/** "Mon 23 Nov" of a plain date such as 2026-11-23. */
export function dayName(date: string): string {
  return format("UTC", { weekday: "short", day: "numeric", month: "short" }).format(new Date(`${date}T12:00:00Z`));
}

/** The plain date `days` later. */
export function shiftDay(date: string, days: number): string {
  const at = new Date(`${date}T12:00:00Z`);
  at.setUTCDate(at.getUTCDate() + days);
  return at.toISOString().slice(0, 10);
}
