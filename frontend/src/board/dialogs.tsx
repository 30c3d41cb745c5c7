// Dialogs: everything about a stop, a driver's link, the price of one more stop.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { send } from "../shared/api";
import { exact, span } from "../shared/time";
import { reasonWord } from "../shared/words";
import { toast } from "./acts";
import { InsertDialog } from "./insert";
import { Chip, Moment } from "./parts";
import { PlanDialog } from "./plan";
import { chosenStop, drivers, explaining, inserting, linking, mayWrite, routes, stops, state, zoneOf } from "./state";

export function Dialogs() {
  return (
    <>
      {chosenStop.value && <StopDialog key={chosenStop.value} id={chosenStop.value} />}
      {linking.value && <LinkDialog key={linking.value} id={linking.value} />}
      {explaining.value && <PlanDialog key={explaining.value} id={explaining.value} />}
      {inserting.value && <InsertDialog key={inserting.value} id={inserting.value} />}
    </>
  );
}

export function Dialog(props: { title: string; close: () => void; broad?: boolean; children: ComponentChildren }) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const node = element.current;
    node?.showModal();
    return () => node?.close();
  }, []);
  return (
    <dialog ref={element} class={props.broad ? "broad" : undefined} aria-labelledby="dialog-title" onClose={props.close} onClick={(e) => e.target === element.current && props.close()}>
      <div class="stack">
        <div class="row spread dialog-head">
          <h2 id="dialog-title">{props.title}</h2>
          <button type="button" class="button plain icon" aria-label="Close" onClick={props.close}>✕</button>
        </div>
        {props.children}
      </div>
    </dialog>
  );
}

/** Fetch once when the dialog opens; errors are shown in its place. */
export function useAnswer<T>(ask: () => Promise<T>): { found: T | null; error: string } {
  const [found, setFound] = useState<T | null>(null);
  const [error, setError] = useState("");
  useEffect(() => {
    let here = true;
    ask().then((f) => here && setFound(f), (e: Error) => here && setError(e.message));
    return () => { here = false; };
  }, []);
  return { found, error };
}

interface Details {
  merchant: string; phone: string; email: string; address: string; notes: string; invoice: string; cash_due: string | null; currency: string; tracking_url: string;
  lines: { name: string; sku: string; quantity: number }[];
  attempts: { number: number; outcome: string; reason: string; note: string; received_by: string; occurred_at: string; proof: string }[];
  messages: { channel: string; to: string; text: string; state: string; created_at: string }[];
}

function StopDialog(props: { id: string }) {
  const stop = stops.value.find((s) => s.id === props.id);
  const { found, error } = useAnswer(() => send<Details>("GET", `/board/stops/${props.id}`));
  const close = () => (chosenStop.value = "");
  if (!stop) return null;
  const zone = zoneOf(stop.depot);
  const route = routes.value.find((r) => r.id === stop.route);
  return (
    <Dialog title={stop.name || stop.ref} close={close}>
      <p class="row tight">
        <Chip state={stop.state} kind={stop.kind} />
        {stop.late > 0 && <span class="chip" data-state="late">{stop.late} min late</span>}
        {stop.reason && <span>{reasonWord(stop.reason)}</span>}
      </p>
      <dl class="facts">
        <dt>Address</dt><dd>{stop.address || "pin only"}</dd>
        <dt>Window</dt><dd>{span(stop.window_start, stop.window_end, zone)}</dd>
        {route && <><dt>Route</dt><dd>{drivers.value.get(route.driver)?.name}, stop {stop.position}</dd></>}
        {stop.eta_at && !stop.arrived_at && <><dt>ETA</dt><dd><Moment at={stop.eta_at} zone={zone} relative /> ({exact(stop.eta_at, zone)})</dd></>}
        {stop.planned_at && !stop.eta_at && !stop.arrived_at && <><dt>Planned</dt><dd>{exact(stop.planned_at, zone)}</dd></>}
        {stop.arrived_at && <><dt>Arrived</dt><dd>{exact(stop.arrived_at, zone)}</dd></>}
        <dt>Order</dt><dd>{stop.ref}, {state.value?.merchants[stop.merchant]}{found?.invoice && `, invoice ${found.invoice}`}</dd>
        {found && <MoreFacts found={found} />}
      </dl>
      {error && <p class="notice bad">{error}</p>}
      {!found && !error && <progress aria-label="Loading" />}
      {found && <History found={found} zone={zone} />}
      <p class="row">
        {found?.tracking_url && <a class="button" href={found.tracking_url} target="_blank" rel="noopener">Customer's page</a>}
        {mayWrite && stop.state === "unassigned" && <button type="button" class="button main" onClick={() => { close(); inserting.value = stop.id; }}>Put into a route</button>}
      </p>
    </Dialog>
  );
}

function MoreFacts(props: { found: Details }) {
  const { found } = props;
  return (
    <>
      {found.phone && <><dt>Phone</dt><dd><a href={`tel:${found.phone}`}>{found.phone}</a></dd></>}
      {found.cash_due && <><dt>Cash due</dt><dd>{found.cash_due} {found.currency}</dd></>}
      {found.notes && <><dt>Notes</dt><dd>{found.notes}</dd></>}
      {found.lines.length > 0 && <><dt>Lines</dt><dd><ul>{found.lines.map((l, i) => <li key={i}>{l.quantity} × {l.name} <span class="quiet">{l.sku}</span></li>)}</ul></dd></>}
    </>
  );
}

function History(props: { found: Details; zone: string }) {
  const { found, zone } = props;
  if (found.attempts.length + found.messages.length === 0) return null;
  return (
    <ul class="history">
      {found.attempts.map((a) => (
        <li key={a.number}>
          <Moment at={a.occurred_at} zone={zone} /> <Chip state={a.outcome} /> {a.reason && reasonWord(a.reason)}
          {a.received_by && <span> received by {a.received_by}</span>} {a.note && <q>{a.note}</q>}
          {a.proof && <> · <a href={`/api/v1/proofs/${a.proof}/pdf`} target="_blank" rel="noopener">Proof</a></>}
        </li>
      ))}
      {found.messages.map((m, i) => (
        <li key={`m${i}`}><Moment at={m.created_at} zone={zone} /> {m.channel} to {m.to}, {m.state}: <q>{m.text}</q></li>
      ))}
    </ul>
  );
}

function LinkDialog(props: { id: string }) {
  const driver = drivers.value.get(props.id);
  const { found, error } = useAnswer(() => send<{ url: string; svg: string }>("POST", `/api/v1/drivers/${props.id}/link`, {}));
  const close = () => (linking.value = "");
  const copy = async () => {
    if (!found) return;
    try {
      await navigator.clipboard.writeText(found.url);
      toast("The link is copied.");
    } catch {
      toast("Copying is not allowed here: select the link and copy it.");
    }
  };
  return (
    <Dialog title={`${driver?.name ?? "Driver"}: sign in on a phone`} close={close}>
      {error && <p class="notice bad">{error}</p>}
      {!found && !error && <progress aria-label="Making the link" />}
      {found && (
        <>
          <p>Let the phone's camera read the code, or send the link. It works once, within a day.</p>
          <img class="qr" src={picture(found.svg)} alt="QR code of the link" width="220" height="220" />
          <div class="row nowrap"><input readOnly value={found.url} aria-label="Link" onFocus={(e) => e.currentTarget.select()} /><button type="button" class="button" onClick={() => void copy()}>Copy</button></div>
        </>
      )}
    </Dialog>
  );
}

// An image of its own needs the namespace that an SVG inside a page may leave out.
function picture(svg: string): string {
  const whole = svg.includes("xmlns=") ? svg : svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"');
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(whole)}`;
}
