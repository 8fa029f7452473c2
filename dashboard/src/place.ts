// Which program serves this page, and where the rest of it is.

const SERVER = "/_dashboard";

export interface Place {
  page: "loader" | "server";
  events: string;
  query: string;
}

/** The token of the page's own address goes on with each request. */
export function whereAmI(pathname: string, search: string): Place {
  const at = pathname.indexOf(SERVER);
  const token = new URLSearchParams(search).get("token");
  const suffix = token === null ? "" : `?token=${encodeURIComponent(token)}`;
  if (at < 0) {
    const folder = pathname.slice(0, pathname.lastIndexOf("/") + 1);
    return { page: "loader", events: `${folder}events${suffix}`, query: "" };
  }
  const root = pathname.slice(0, at) + SERVER;
  return { page: "server", events: `${root}/events${suffix}`, query: `${root}/query${suffix}` };
}
