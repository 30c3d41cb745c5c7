// A style sheet that a page loads when it needs it, such as the map's.

const loaded = new Map<string, Promise<void>>();

/** Load a style sheet once; Leaflet measures itself when it starts, so its style comes first. */
export function loadStyle(href: string): Promise<void> {
  let found = loaded.get(href);
  if (!found) {
    found = new Promise((resolve, reject) => {
      const link = document.createElement("link");
      link.rel = "stylesheet";
      link.href = href;
      link.onload = () => resolve();
      link.onerror = () => {
        loaded.delete(href);
        link.remove();
        reject(new Error(`${href} cannot be loaded`));
      };
      document.head.append(link);
    });
    loaded.set(href, found);
  }
  return found;
}
