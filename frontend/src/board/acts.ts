// What a dispatcher does on the board: each ends in the state being fetched anew.

import { signal } from "@preact/signals";
import { send } from "../shared/api";
import type { Flag, Waiting } from "./state";
import { busy, load, pinning } from "./state";

export interface Toast { id: number; text: string; undo?: () => Promise<unknown> }

export const toasts = signal<Toast[]>([]);
let serial = 0;

export function toast(text: string, undo?: () => Promise<unknown>): void {
  const id = (serial += 1);
  toasts.value = [...toasts.value.slice(-2), { id, text, undo }];
  window.setTimeout(() => dismiss(id), undo ? 10_000 : 6_000);
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((t) => t.id !== id);
}

/** Run one act under a name that its button shows as busy until the board shows it; errors become a toast. */
export async function act(name: string, work: () => Promise<unknown>, done = ""): Promise<boolean> {
  if (busy.value.has(name)) return false;
  busy.value = new Set([...busy.value, name]);
  try {
    await work();
    if (done) toast(done);
    return true;
  } catch (error) {
    toast(error instanceof Error ? error.message : String(error));
    return false;
  } finally {
    await load().catch(() => undefined);
    busy.value = new Set([...busy.value].filter((n) => n !== name));
  }
}

/** Plan a day anew, or search on from the drafts that there are. */
export function plan(depot: string, date: string, improve = false): Promise<boolean> {
  return act(`plan ${depot}`, () => send("POST", "/api/v1/plans", { depot, service_date: date, ...(improve ? { improve } : {}) }));
}

/** End the search for a plan with the best that it has found so far. */
export function stopPlan(id: string): Promise<boolean> {
  return act(`stop ${id}`, () => send("POST", `/api/v1/plans/${id}/stop`, {}));
}

export function publishAll(routes: string[]): Promise<boolean> {
  return act("publish", async () => {
    for (const route of routes) await send("POST", `/api/v1/routes/${route}/publish`, {});
  }, routes.length === 1 ? "The route is published." : `${routes.length} routes are published.`);
}

export function setPin(order: Waiting, lat: number, lon: number): Promise<boolean> {
  pinning.value = null;
  return act(`pin ${order.id}`, () => send("POST", `/api/v1/orders/${order.id}/pin`, { lat, lon }), `The pin of ${order.name || order.ref} is set.`);
}

export async function clearFlag(flag: Flag): Promise<void> {
  const cleared = await act(`flag ${flag.id}`, () => send("POST", `/api/v1/flags/${flag.id}/clear`, {}));
  if (!cleared) return;
  toast("The flag is cleared.", () => send("POST", `/board/flags/${flag.id}/restore`, {}));
}
