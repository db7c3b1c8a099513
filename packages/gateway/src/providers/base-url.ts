/** Base URLs are written with and without the API version; these vendors' paths carry it themselves. */
export function withoutVersion(url: string): string {
  return url.replace(/\/+$/, "").replace(/\/v\d+(?:beta|alpha)?\d*$/, "");
}

/** Adds the version where the URL names a server and no path. */
export function withVersion(url: string, version: string): string {
  const base = url.replace(/\/+$/, "");
  return new URL(base).pathname === "/" ? `${base}/${version}` : base;
}
