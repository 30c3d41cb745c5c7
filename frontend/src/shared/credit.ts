// A map's credit as the link to the licence that OpenStreetMap asks for.

export function linked(credit: string): string {
  const link = document.createElement("a");
  link.href = "https://www.openstreetmap.org/copyright";
  link.target = "_blank";
  link.rel = "noopener";
  link.textContent = credit;
  return link.outerHTML;
}
