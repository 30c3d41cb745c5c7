// Listens to the live gateway by server-sent events, and asks again by itself while that is silent.

export type Link = "live" | "polling" | "offline";

export interface Listening {
  /** Address with its token; asked for anew after each lost connection. Empty: only polling. */
  url: () => string | Promise<string>;
  /** Called for every message of the gateway. */
  message?: (data: any) => void;
  /** Called after (re)connecting and every `every` milliseconds without a connection. */
  refresh: () => Promise<void>;
  /** Called when the way in which news arrive changes. */
  link?: (link: Link) => void;
  every?: number;
}

// After this long without a message the page asks all the same: a stream may die without a word.
const PATIENCE = 40_000;

/** Begin to listen; the returned function ends it. */
export function listen(options: Listening): () => void {
  const every = options.every ?? 10_000;
  let source: EventSource | null = null;
  let timer = 0;
  let retry = 0;
  let failures = 0;
  let ended = false;
  let link: Link | null = null;
  let heard = 0;

  function say(next: Link): void {
    if (next !== link) {
      link = next;
      options.link?.(next);
    }
  }

  async function ask(): Promise<void> {
    try {
      await options.refresh();
      if (!connected()) say("polling");
    } catch {
      say("offline");
    }
  }

  function connected(): boolean {
    return source !== null && source.readyState === EventSource.OPEN;
  }

  async function connect(): Promise<void> {
    let address = "";
    try {
      address = await options.url();
    } catch {
      address = "";
    }
    if (ended || !address) return later();
    source?.close();
    source = new EventSource(address);
    source.onopen = () => {
      failures = 0;
      heard = Date.now();
      say("live");
      void ask();
    };
    source.onmessage = (event) => {
      heard = Date.now();
      let data: unknown;
      try {
        data = JSON.parse(event.data);
      } catch {
        return;
      }
      options.message?.(data);
    };
    source.onerror = () => {
      source?.close();
      source = null;
      say("polling");
      later();
    };
  }

  function later(): void {
    if (ended) return;
    window.clearTimeout(retry);
    failures += 1;
    retry = window.setTimeout(() => void connect(), Math.min(30_000, 1000 * 2 ** Math.min(failures, 5)));
  }

  function tick(): void {
    if (document.hidden) return;
    if (connected() && Date.now() - heard < PATIENCE) return;
    heard = Date.now();
    void ask();
  }

  function wake(): void {
    if (document.hidden) return;
    void ask();
    if (!connected()) void connect();
  }

  timer = window.setInterval(tick, every);
  document.addEventListener("visibilitychange", wake);
  window.addEventListener("online", wake);
  window.addEventListener("offline", () => say("offline"));
  void ask();
  void connect();

  return () => {
    ended = true;
    window.clearInterval(timer);
    window.clearTimeout(retry);
    document.removeEventListener("visibilitychange", wake);
    window.removeEventListener("online", wake);
    source?.close();
  };
}
