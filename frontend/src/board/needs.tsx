// What needs a person: flags, orders without a place, stops in no route.

import { clearFlag } from "./acts";
import { Chip, Moment } from "./parts";
import { chosenStop, inserting, mayWrite, pinning, routes, state, unassigned, zoneOf } from "./state";
import { span } from "../shared/time";
import { busy } from "./state";

const FLAG_WORDS: Record<string, string> = {
  stop_failed: "Failed stop",
  proof_not_delivered: "Proof",
  message_failed: "Message",
  order_without_stop: "Order",
  connection_expired: "Connection",
};

export function Needs() {
  const found = state.value;
  if (!found) return null;
  const total = found.flags.length + found.waiting.length + unassigned.value.length;
  return (
    <section class="panel" aria-labelledby="needs">
      <h2 id="needs" class="panel-head">Needs you <span class="tally" data-some={total > 0 || undefined}>{total}</span></h2>
      {total === 0 && <p class="panel-empty">Nothing waits for you.</p>}
      <Flags />
      <WaitingOrders />
      <Unassigned />
    </section>
  );
}

function Flags() {
  const found = state.value;
  if (!found || found.flags.length === 0) return null;
  const known = new Set(found.stops.map((s) => s.id));
  const zone = found.depots[0]?.timezone ?? "UTC";
  return (
    <ul class="items">
      {found.flags.map((flag) => (
        <li key={flag.id} class="item flag">
          <div class="grow">
            <p>{flag.text}</p>
            <p class="quiet small">{FLAG_WORDS[flag.kind] ?? flag.kind.replaceAll("_", " ")} · <Moment at={flag.raised_at} zone={zone} relative /></p>
          </div>
          {known.has(flag.subject) && <button type="button" class="button plain" onClick={() => (chosenStop.value = flag.subject)}>Show</button>}
          <button type="button" class="button plain" disabled={busy.value.has(`flag ${flag.id}`)} onClick={() => void clearFlag(flag)} aria-label={`Clear: ${flag.text}`}>Clear</button>
        </li>
      ))}
    </ul>
  );
}

function WaitingOrders() {
  const found = state.value;
  if (!found || found.waiting.length === 0) return null;
  return (
    <>
      <h3 class="panel-sub">Needs an address <span class="quiet">{found.waiting.length}</span></h3>
      <ul class="items">
        {found.waiting.map((order) => (
          <li key={order.id} class="item" aria-current={pinning.value?.id === order.id ? "true" : undefined}>
            <div class="grow">
              <p><span class="strong">{order.name || order.ref}</span> <span class="quiet">{order.name ? order.ref : ""}</span></p>
              <p>{order.address || "No address given"}</p>
              <p class="quiet small">{order.reason}</p>
            </div>
            {mayWrite && (
              <button type="button" class="button" disabled={busy.value.has(`pin ${order.id}`)} onClick={() => (pinning.value = pinning.value?.id === order.id ? null : order)}>
                {pinning.value?.id === order.id ? "Cancel" : "Set the pin"}
              </button>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

function Unassigned() {
  const list = unassigned.value;
  if (list.length === 0) return null;
  const open = routes.value.some((r) => ["ready", "loaded", "in_progress"].includes(r.state));
  const reasons = new Map((state.value?.depots ?? []).flatMap((d) => (d.plan?.unserved ?? []).map((u) => [u.stop, u.reason] as const)));
  return (
    <>
      <h3 class="panel-sub">In no route <span class="quiet">{list.length}</span></h3>
      <ul class="items">
        {list.slice(0, 50).map((stop) => (
          <li key={stop.id} class="item">
            <button type="button" class="item-main grow" onClick={() => (chosenStop.value = stop.id)}>
              <span class="strong">{stop.name || stop.ref}</span> <span class="quiet">{span(stop.window_start, stop.window_end, zoneOf(stop.depot))}</span>
              <span class="quiet small block cut">{reasons.get(stop.id) ?? stop.address}</span>
            </button>
            {mayWrite && open ? (
              <button type="button" class="button" onClick={() => (inserting.value = stop.id)}>Put into a route</button>
            ) : <Chip state="unassigned" />}
          </li>
        ))}
      </ul>
      {list.length > 50 && <p class="panel-empty">and {list.length - 50} more: plan the day to put them into routes.</p>}
    </>
  );
}
