// The words for states, the same on every page.

const words: Record<string, string> = {
  unassigned: "Unassigned",
  planned: "Planned",
  dispatched: "Dispatched",
  en_route: "On the way",
  arrived: "At the door",
  completed: "Delivered",
  partial: "Partly",
  failed: "Failed",
  on_hold: "On hold",
  skipped: "Skipped",
  returning: "Returning",
  returned: "Returned",
  cancelled: "Cancelled",
  draft: "Draft",
  ready: "Ready",
  loaded: "Loaded",
  in_progress: "On the road",
  closed: "Done",
};

const reasons: Record<string, string> = {
  not_home: "nobody home",
  cant_find_address: "address not found",
  no_access: "no access",
  refused: "refused",
  damaged: "damaged",
  package_not_available: "not on board",
  no_time: "no time",
  other: "other",
};

/** The word for a state of a stop or a route. */
export function stateWord(state: string, kind = "delivery"): string {
  if (state === "completed" && kind === "collection") return "Collected";
  if (state === "completed" && kind === "service") return "Done";
  return words[state] ?? state.replaceAll("_", " ");
}

/** The words for a reason code. */
export function reasonWord(code: string): string {
  return reasons[code] ?? code.replaceAll("_", " ");
}

/** "1 stop", "3 stops". */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** Words as a sentence: with a capital, and a full stop at the end. */
export function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) || !whole ? whole : `${whole}.`;
}
