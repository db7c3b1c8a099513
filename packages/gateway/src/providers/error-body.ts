// Reading what a provider says when it refuses. Bodies are parsed by what they are, not by what was hoped for: proxies
// answer in HTML, Hugging Face in text/plain, validators with a list.
import { parseJson, recordOf, stringOf, type JsonRecord } from "./json-body.ts";

export interface ErrorBody {
  readonly message: string;
  readonly type?: string;
  readonly code?: string;
  readonly param?: string;
  readonly status?: number;
  /** The object the fields were read from, for what only one vendor sends. */
  readonly record: JsonRecord;
}

const EMPTY: JsonRecord = {};

/** Never throws. `text` may be JSON of any shape, HTML, plain text or nothing. */
export function readErrorBody(text: string): ErrorBody {
  const trimmed = text.trim();
  if (trimmed === "") return { message: "no explanation", record: EMPTY };
  if (!trimmed.startsWith("{") && !trimmed.startsWith("[")) return { message: plainText(trimmed), record: EMPTY };
  try {
    return errorOf(parseJson(trimmed));
  } catch {
    return { message: plainText(trimmed), record: EMPTY };
  }
}

/** The shapes in use: `{error: {…}}`, `{error: "…"}`, `{error: ["…"]}`, `{message}`, `{detail}`, `{title, detail}`, `[{error}]`. */
export function errorOf(value: unknown): ErrorBody {
  const whole = recordOf(Array.isArray(value) ? value[0] : value) ?? EMPTY;
  const inner = recordOf(whole["error"]) ?? whole;
  const code = inner["code"];
  return {
    message: messageOf(whole, inner),
    record: whole,
    ...optional("type", stringOf(inner["type"])),
    ...optional("code", typeof code === "number" ? String(code) : stringOf(code)),
    ...optional("param", stringOf(inner["param"])),
    ...(typeof code === "number" && code >= 400 && code <= 599 ? { status: code } : {}),
  };
}

function optional<K extends string>(name: K, value: string | undefined): { readonly [P in K]?: string } {
  return value === undefined || value === "" ? {} : ({ [name]: value } as { readonly [P in K]?: string });
}

function messageOf(whole: JsonRecord, inner: JsonRecord): string {
  for (const candidate of [inner["message"], whole["error"], whole["message"], whole["detail"], whole["title"]]) {
    const text = flatText(candidate);
    if (text !== "") return text;
  }
  return "no explanation";
}

function flatText(value: unknown): string {
  if (typeof value === "string") return value.trim();
  if (Array.isArray(value))
    return value
      .map(flatText)
      .filter((text) => text !== "")
      .join("; ");
  const record = recordOf(value);
  if (record === undefined) return "";
  const where = Array.isArray(record["loc"]) ? `${record["loc"].join(".")}: ` : "";
  const text = flatText(record["msg"] ?? record["message"]);
  return text === "" ? "" : `${where}${text}`;
}

function plainText(text: string): string {
  if (!/^<(?:!doctype|html|\?xml|head|body)/i.test(text)) return text;
  const title = /<title>([^<]*)<\/title>/i.exec(text)?.[1]?.trim();
  return title === undefined || title === "" ? "an HTML page" : `an HTML page: ${title}`;
}
