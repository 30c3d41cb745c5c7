// Calls the hub's own API from a page; an error is a sentence to show.

export class ApiError extends Error {
  /** `said` is the whole answer, where it was JSON. */
  constructor(readonly status: number, message: string, readonly said: unknown = null) {
    super(message);
  }
}

/** Send JSON and return the JSON answered; throws `ApiError` with the server's own words. */
export async function send<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
  const csrf = document.querySelector<HTMLMetaElement>("meta[name=csrf-token]")?.content ?? "";
  const headers: Record<string, string> = { Accept: "application/json", "X-CSRFToken": csrf };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
    });
  } catch {
    throw new ApiError(0, "The hub cannot be reached. Check the connection and try again.");
  }
  const said = await response.json().catch(() => null);
  if (response.ok) return said as T;
  if (response.status === 401) location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
  throw new ApiError(response.status, sentence(said?.detail) || `The hub answered ${response.status}. Try again.`, said);
}

function sentence(detail: unknown): string {
  if (typeof detail !== "string" || !detail) return "";
  const text = detail.charAt(0).toUpperCase() + detail.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
