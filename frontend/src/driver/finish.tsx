// Ending a stop: delivered, partly, or not; with photos, a signature, pieces, cash and a reason.

import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { shrink } from "./camera";
import { finish, sheet } from "./day";
import type { Kind, Picture, Report } from "./outbox";
import type { Stop } from "./sheet";
import { Sign } from "./sign";
import { endings } from "./words";

interface Props {
  stop: Stop;
  kind: Kind;
  close: () => void;
}

export function Finish({ stop, kind, close }: Props) {
  const [pictures, setPictures] = useState<Picture[]>([]);
  const [quantities, setQuantities] = useState(() => Object.fromEntries(stop.lines.map((l) => [l.id, l.quantity])));
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const [shrinking, setShrinking] = useState(0); // photos that are not ready to go along yet
  const words = endings(stop.kind)[kind]!;
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), []);

  const send = async (event: Event) => {
    event.preventDefault();
    const said = read(event.currentTarget as HTMLFormElement, kind, stop, quantities);
    const wrong = check(said, kind, stop);
    setProblem(wrong);
    if (wrong || busy || shrinking > 0) return;
    setBusy(true);
    try {
      await finish(kind, stop, said, pictures);
      close();
    } catch (error) {
      setBusy(false);
      setProblem(`This phone could not keep the report: ${String(error)}. Make room on it and try again.`);
    }
  };

  return (
    <main class="page narrow finish">
      <form class="stack" onSubmit={(event) => void send(event)} noValidate>
        <h1 ref={title} tabIndex={-1}>{words.title}</h1>
        <p class="quiet">{stop.name || stop.ref}, {stop.address}</p>
        {kind === "partial" && <Pieces stop={stop} quantities={quantities} change={setQuantities} />}
        {kind !== "complete" && <Reasons />}
        <Pictures pictures={pictures} change={setPictures} shrink={setShrinking} signing={kind !== "fail"} />
        {kind !== "fail" && (
          <div class="field">
            <label for="received_by">Received by</label>
            <input id="received_by" name="received_by" maxLength={200} autoComplete="off" placeholder={stop.name} />
          </div>
        )}
        {kind !== "fail" && stop.cash_due !== null && (
          <div class="field">
            <label for="cash_taken">Cash taken, {stop.currency}</label>
            <input id="cash_taken" name="cash_taken" inputMode="decimal" defaultValue={stop.cash_due} aria-describedby="cash-hint" />
            <span id="cash-hint" class="hint">{stop.currency} {stop.cash_due} is due.</span>
          </div>
        )}
        <div class="field">
          <label for="note">Note</label>
          <textarea id="note" name="note" maxLength={2000} rows={2} />
        </div>
        {problem && <p class="notice bad" role="alert">{problem}</p>}
        <div class="bar">
          <button type="button" class="button" onClick={close}>Back</button>
          <button class={`button main ${words.tone}`} disabled={busy || shrinking > 0} aria-busy={busy || shrinking > 0}>{words.confirm}</button>
        </div>
      </form>
    </main>
  );
}

function read(form: HTMLFormElement, kind: Kind, stop: Stop, quantities: Record<string, number>): Partial<Report> {
  const text = (name: string) => String(new FormData(form).get(name) ?? "").trim();
  const said: Partial<Report> = {};
  if (text("note")) said.note = text("note");
  if (text("received_by")) said.received_by = text("received_by");
  if (kind !== "complete" && text("reason")) said.reason = text("reason");
  if (kind === "partial") said.quantities = quantities;
  if (kind !== "fail" && stop.cash_due !== null && text("cash_taken")) said.cash_taken = text("cash_taken").replace(",", ".");
  return said;
}

/** Say what is missing, so that the hub never has to refuse it an hour later. */
function check(said: Partial<Report>, kind: Kind, stop: Stop): string {
  if (kind !== "complete" && !said.reason) return "Choose a reason.";
  if (said.reason === "other" && !said.note) return "Write down what the reason is.";
  if (said.cash_taken !== undefined && !/^\d{1,9}(\.\d{1,2})?$/.test(said.cash_taken)) return "Write the cash as an amount, such as 12.50.";
  if (kind !== "partial" || stop.lines.length === 0) return "";
  const given = Object.values(said.quantities ?? {});
  if (given.every((n) => n === 0)) return "Nothing was handed over: go back and choose the button for that.";
  if (stop.lines.every((line) => said.quantities?.[line.id] === line.quantity)) return "Everything was handed over: take something off, or go back.";
  return "";
}

function Pieces({ stop, quantities, change }: { stop: Stop; quantities: Record<string, number>; change: (q: Record<string, number>) => void }) {
  const set = (id: string, most: number, to: number) => change({ ...quantities, [id]: Math.max(0, Math.min(most, to)) });
  return (
    <fieldset class="pieces">
      <legend>Handed over</legend>
      {stop.lines.map((line) => (
        <div class="piece" key={line.id}>
          <span>{line.name}</span>
          <button type="button" class="button" aria-label={`One less of ${line.name}`} disabled={quantities[line.id] === 0} onClick={() => set(line.id, line.quantity, quantities[line.id]! - 1)}>−</button>
          <output class="number" aria-live="polite">{quantities[line.id]} of {line.quantity}</output>
          <button type="button" class="button" aria-label={`One more of ${line.name}`} disabled={quantities[line.id] === line.quantity} onClick={() => set(line.id, line.quantity, quantities[line.id]! + 1)}>+</button>
        </div>
      ))}
    </fieldset>
  );
}

function Reasons() {
  return (
    <fieldset class="reasons">
      <legend>Why?</legend>
      {sheet.value?.reasons.map(({ code, label }) => (
        <label key={code}><input type="radio" name="reason" value={code} /> {label}</label>
      ))}
    </fieldset>
  );
}

type Change<T> = (next: (now: T) => T) => void;

// Pictures take a while to be made: each is added to what is there by then.
function Pictures({ pictures, change, shrink: count, signing }: { pictures: Picture[]; change: Change<Picture[]>; shrink: Change<number>; signing: boolean }) {
  const [open, setOpen] = useState(false);
  const signature = pictures.find((p) => p.kind === "signature");
  const add = async (input: HTMLInputElement) => {
    count((now) => now + 1);
    try {
      const taken = await Promise.all([...(input.files ?? [])].map(async (file) => ({ kind: "photo" as const, content: await shrink(file) })));
      change((now) => [...now, ...taken].slice(0, 10));
    } finally {
      input.value = "";
      count((now) => now - 1);
    }
  };
  return (
    <div class="pictures">
      <label class="button whole">
        <input type="file" accept="image/*" capture="environment" class="unseen" onChange={(event) => void add(event.currentTarget)} />
        {pictures.some((p) => p.kind === "photo") ? "Take another photo" : "Take a photo"}
      </label>
      {signing && !signature && <button type="button" class="button whole" onClick={() => setOpen(true)}>Let them sign</button>}
      {pictures.length > 0 && (
        <ul class="thumbs">
          {pictures.map((picture, index) => (
            <Thumb key={index} picture={picture} remove={() => change((now) => now.filter((p) => p !== picture))} />
          ))}
        </ul>
      )}
      {open && (
        <Sign
          cancel={() => setOpen(false)}
          done={(content) => {
            change((now) => [...now.filter((p) => p.kind !== "signature"), { kind: "signature", content }]);
            setOpen(false);
          }}
        />
      )}
    </div>
  );
}

function Thumb({ picture, remove }: { picture: Picture; remove: () => void }) {
  const url = useSignal("");
  useSignalEffect(() => {
    const made = URL.createObjectURL(picture.content);
    url.value = made;
    return () => URL.revokeObjectURL(made);
  });
  return (
    <li>
      {url.value && <img src={url.value} alt={picture.kind === "photo" ? "Photo" : "Signature"} />}
      <button type="button" class="button" onClick={remove}>Remove {picture.kind}</button>
    </li>
  );
}
