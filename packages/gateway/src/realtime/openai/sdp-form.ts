/** The text fields of a multipart form (RFC 7578). SDP and JSON hold no bytes that a string would spoil. */
export function readSdpForm(body: string, contentType: string): ReadonlyMap<string, string> {
  const found = /boundary=(?:"([^"]{1,100})"|([^;\s]{1,100}))/i.exec(contentType);
  const mark = found?.[1] ?? found?.[2];
  const fields = new Map<string, string>();
  if (mark === undefined) return fields;
  for (const section of body.split(`--${mark}`).slice(1)) {
    const gap = section.indexOf("\r\n\r\n");
    const name = gap < 0 ? undefined : /name="([^"]{1,40})"/i.exec(section.slice(0, gap))?.[1];
    // The line break before the next boundary belongs to the boundary.
    if (name !== undefined) fields.set(name, section.slice(gap + 4).replace(/\r\n$/, ""));
  }
  return fields;
}
