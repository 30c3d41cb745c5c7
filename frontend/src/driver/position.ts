// Where the phone is: watched while the page is open and the driver wants it, sent in batches.

import { signal } from "@preact/signals";
import { hubNow } from "../shared/time";
import { call, Refusal } from "./sheet";

export interface Fix {
  lat: number;
  lon: number;
  at: string;
  accuracy: number;
  speed?: number;
  heading?: number;
}

export type Sight = "off" | "insecure" | "unsupported" | "denied" | "searching" | "on";

/** Whether the phone's position is known and shared, or what keeps it from being. */
export const sight = signal<Sight>("off");
/** The newest fix. */
export const here = signal<Fix | null>(null);

const MOST = 600;
const WISH = "hub-driver-position";
let waiting: Fix[] = [];
let watch: number | null = null;
let awake: WakeLockSentinel | null = null;

/** Whether the driver has switched the position off on this phone. */
export function wanted(): boolean {
  try {
    return localStorage.getItem(WISH) !== "off";
  } catch {
    return true;
  }
}

/** Switch the position on or off, and remember it. */
export function choose(on: boolean): void {
  try {
    localStorage.setItem(WISH, on ? "on" : "off");
  } catch {
    // Private windows may keep nothing; the switch then counts for this visit only.
  }
  if (on) follow();
  else rest();
}

/** Begin to watch, or say what is in the way. */
export function follow(): void {
  if (watch !== null || !wanted()) return;
  if (!window.isSecureContext) {
    sight.value = "insecure";
    return;
  }
  if (!("geolocation" in navigator)) {
    sight.value = "unsupported";
    return;
  }
  sight.value = "searching";
  watch = navigator.geolocation.watchPosition(seen, lost, { enableHighAccuracy: true, maximumAge: 5_000 });
  void stayAwake();
}

/** Stop watching. */
export function rest(): void {
  if (watch !== null) navigator.geolocation.clearWatch(watch);
  watch = null;
  here.value = null;
  sight.value = "off";
  void awake?.release();
  awake = null;
}

function seen({ coords }: GeolocationPosition): void {
  sight.value = "on";
  const fix: Fix = {
    lat: coords.latitude,
    lon: coords.longitude,
    at: new Date(hubNow()).toISOString(),
    accuracy: coords.accuracy,
  };
  if (coords.speed !== null && coords.speed >= 0) fix.speed = coords.speed;
  if (coords.heading !== null && coords.heading >= 0) fix.heading = coords.heading;
  here.value = fix;
  waiting = [...waiting, fix].slice(-MOST);
}

function lost(error: GeolocationPositionError): void {
  if (error.code !== error.PERMISSION_DENIED) {
    sight.value = "searching";
    return;
  }
  rest();
  sight.value = "denied";
}

async function stayAwake(): Promise<void> {
  try {
    awake = (await navigator.wakeLock?.request("screen")) ?? null;
  } catch {
    awake = null; // a phone low on battery says no
  }
}

/** Send what has gathered; positions that the hub cannot take now stay for the next time. */
export async function sendFixes(): Promise<void> {
  if (waiting.length === 0) return;
  const batch = waiting;
  waiting = [];
  try {
    await call("positions", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ fixes: batch }),
    });
  } catch (error) {
    if (error instanceof Refusal && error.passing) waiting = [...batch, ...waiting].slice(-MOST);
  }
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && watch !== null) void stayAwake();
});
