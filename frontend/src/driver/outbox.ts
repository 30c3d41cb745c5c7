// What the driver said and the hub has not yet taken: kept on the phone, sent in order, never lost.
//
// A report goes into IndexedDB before anything is sent, with its pictures and under an id that
// stays the same, so that the hub takes it once however often it is sent.

import { signal } from "@preact/signals";
import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import { call, Refusal } from "./sheet";

export type Kind = "start" | "arrive" | "depart" | "complete" | "partial" | "fail";

export interface Report {
  id: string;
  kind: Kind;
  stop: string | null;
  at: string;
  lat?: number;
  lon?: number;
  accuracy?: number;
  reason?: string;
  note?: string;
  received_by?: string;
  quantities?: Record<string, number>;
  cash_taken?: string;
}

export interface Picture {
  kind: "photo" | "signature";
  content: Blob;
  sha256?: string; // once the hub has it
}

export interface Entry {
  seq?: number;
  driver: string;
  report: Report;
  pictures: Picture[];
  refused?: string; // why the hub will never take it: a person has to know
}

interface Schema extends DBSchema {
  outbox: { key: number; value: Entry };
}

/** Everything that waits, in the order in which it was said. */
export const waiting = signal<Entry[]>([]);
/** What the hub has taken but no fetched list shows yet: without it the last stop would flash up. */
export const settling = signal<Report[]>([]);
/** Why nothing is being sent just now, in words; empty while all is well. */
export const trouble = signal("");
/** Whether this phone was signed out. */
export const signedOut = signal(false);

let opened: Promise<IDBPDatabase<Schema>> | null = null;
let owner = "";
let told: (notes: string[]) => void = () => undefined;

function database(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>("hub-driver", 1, {
    upgrade: (db) => void db.createObjectStore("outbox", { keyPath: "seq", autoIncrement: true }),
  });
  return opened;
}

/** Read what an earlier visit left behind, and begin to send; `onSent` hears after each answer. */
export async function open(driver: string, onSent: (notes: string[]) => void): Promise<void> {
  owner = driver;
  told = onSent;
  await reread();
  addEventListener("online", () => void drain());
  document.addEventListener("visibilitychange", () => void drain());
  setInterval(() => void drain(), 15_000);
  void navigator.storage?.persist?.();
  void drain();
}

async function reread(): Promise<void> {
  const found = await (await database()).getAll("outbox");
  waiting.value = found.filter((entry) => entry.driver === owner);
}

/** Keep a report and send it as soon as the hub can be reached; resolves once it is kept. */
export async function say(report: Report, pictures: Picture[] = []): Promise<void> {
  const db = await database();
  const step = db.transaction("outbox", "readwrite", { durability: "strict" });
  await step.store.add({ driver: owner, report, pictures });
  await step.done;
  await reread();
  void drain();
}

/** Forget a report that the hub refused, once the driver has read why. */
export async function discard(entry: Entry): Promise<void> {
  if (entry.seq !== undefined) await (await database()).delete("outbox", entry.seq);
  await reread();
}

/** Send everything that waits; one tab at a time. */
export async function drain(): Promise<void> {
  if (!navigator.locks) return sendAll();
  more = true;
  await navigator.locks.request("hub-driver-outbox", async () => {
    if (!more) return; // whoever had the turn before has sent it
    more = false;
    await sendAll();
  });
}

let more = false;

let sending = false;

async function sendAll(): Promise<void> {
  if (sending) return;
  sending = true;
  try {
    for (let entry = first(); entry; entry = first()) {
      if (!(await sendOne(entry))) return;
    }
    trouble.value = "";
  } finally {
    sending = false;
  }
}

function first(): Entry | undefined {
  return waiting.value.find((entry) => !entry.refused);
}

/** Send one report; false when it makes no sense to go on just now. */
async function sendOne(entry: Entry): Promise<boolean> {
  const db = await database();
  try {
    for (const picture of entry.pictures) await upload(picture, () => db.put("outbox", entry));
    const notes = await post(entry);
    settling.value = [...settling.value, entry.report];
    await db.delete("outbox", entry.seq as number);
    await reread();
    trouble.value = "";
    told(notes);
    return true;
  } catch (error) {
    const refusal = error instanceof Refusal ? error : new Refusal(0, String(error));
    if (refusal.status === 401) signedOut.value = true;
    if (refusal.passing || refusal.status === 401) {
      trouble.value = refusal.message;
      return false;
    }
    await db.put("outbox", { ...entry, refused: refusal.message });
    await reread();
    told([]); // the list has to show why: the dispatcher may have changed the route
    return true;
  }
}

async function upload(picture: Picture, keep: () => Promise<unknown>): Promise<void> {
  if (picture.sha256) return;
  const form = new FormData();
  form.append("kind", picture.kind);
  form.append("file", picture.content, picture.kind === "photo" ? "photo.jpg" : "signature.png");
  const response = await call("files", { method: "POST", body: form });
  picture.sha256 = ((await response.json()) as { sha256: string }).sha256;
  await keep();
}

async function post(entry: Entry): Promise<string[]> {
  const files = entry.pictures.map(({ kind, sha256 }) => ({ kind, sha256 }));
  const response = await call("reports", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...entry.report, files }),
  });
  return ((await response.json()) as { notes?: string[] }).notes ?? [];
}
