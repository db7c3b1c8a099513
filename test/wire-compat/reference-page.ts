import { CLOSE_CODES, LIMITS, PACKET_LAYOUTS, PROTOCOL_VERSION } from "@fovea/protocol";
import { CLIENT_TEXTS, SERVER_TEXTS } from "./messages.ts";

/** docs/reference/wire.md, from the tables that the code uses. */
export function referencePage(): string {
  return [
    `# Wire reference, version ${PROTOCOL_VERSION}`,
    "",
    "Generated from `packages/protocol` (`FOVEA_WRITE_GOLDEN=1 node --conditions=@fovea/source --test test/wire-compat/golden.test.ts`); do not edit by hand. Rules: [../spec/wire.md](../spec/wire.md). Test vectors for ports: `test/wire-compat/golden/`.",
    "",
    "## Conventions",
    "- One message per WebSocket message. Text = JSON control message, binary = packet; the first byte of a packet is its kind. Unknown kinds and types are ignored and counted.",
    "- Metres, unit quaternions x y z w, milliseconds, right-handed, Y up, -Z forward; the reference space is `local-floor`. Unity converts by flipping z: position (x, y, -z), quaternion (-x, -y, z, w).",
    "- Binary is little-endian without padding. Permessage-deflate is off.",
    '- `pose18` = position as 3 x f32, then the orientation in "smallest three" form: let m be the index of the component of largest magnitude (0 = x ... 3 = w); negate the quaternion if that component is negative; encode the other three in x, y, z, w order as v = round((c / sqrt(1/2) x 0.5 + 0.5) x 32767), 15 bits. Word 0 = v0 | (m & 1) << 15, word 1 = v1 | (m >> 1) << 15, word 2 = v2.',
    "- Numbered client messages (`n`) are delivered once: `welcome.ack` and `ping.ack` name the last one handled, a resumed client sends the rest again, and the gateway drops a number it has seen.",
    "",
    ...PACKET_LAYOUTS.flatMap((layout) => [
      `## Packet 0x${layout.kind.toString(16).padStart(2, "0")}: ${layout.name}, ${layout.direction}`,
      "",
      "| offset | type | field | meaning |",
      "|---|---|---|---|",
      ...layout.fields.map(
        ({ offset, type, count, field, meaning }) =>
          `| ${offset ?? "–"} | ${count === undefined ? type : `${count} x ${type}`} | ${field} | ${meaning} |`,
      ),
      "",
    ]),
    "## Control messages, client to gateway",
    "",
    ...examples(CLIENT_TEXTS),
    "## Control messages, gateway to client",
    "",
    ...examples(SERVER_TEXTS),
    "## Close codes",
    "",
    "| code | name | meaning | client comes back |",
    "|---|---|---|---|",
    ...Object.entries(CLOSE_CODES).map(
      ([code, row]) =>
        `| ${code} | ${row.name} | ${row.meaning} | ${row.reconnect}${"waitMsMin" in row ? `, after ${row.waitMsMin} ms at least` : ""} |`,
    ),
    "",
    "## Limits",
    "",
    "| limit | value |",
    "|---|---|",
    ...Object.entries(LIMITS).map(([name, value]) => `| ${name} | ${value} |`),
    "",
  ].join("\n");
}

function examples(texts: Readonly<Record<string, object>>): string[] {
  return Object.entries(texts).flatMap(([type, message]) => [
    `**${type}**`,
    "```json",
    JSON.stringify(message),
    "```",
    "",
  ]);
}
