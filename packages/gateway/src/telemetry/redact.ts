// Secrets reach logs by accident: in a vendor's error text, in a URL, in an attribute with a telling name. Attributes that
// may be private are wrapped by their author; this is the second net, for what nobody meant to log.

const MASK = "<secret>";

/** Key shapes of the vendors and of Fovea itself, bearer credentials, and credentials in query strings. */
const SECRET_SHAPES =
  /\b(?:sk-(?:ant-|proj-)?|fov_(?:live|sess)_|hf_|r8_|tgp_v\d_|wlt_|gsk_|sk-or-|AIza)[\w-]{8,}|\b(?:Bearer|Basic)\s+[\w.~+/=-]{8,}|([?&](?:key|api_key|apikey|token|access_token|ticket)=)[^&\s"']+/gi;

const SECRET_NAME = /(?:^|[._-])(?:api[_-]?key|authorization|cookie|password|secret|access[_-]?token|ticket)$/i;

/** The shortest key has eleven characters; a credential in a query may be shorter, and has its sign. */
const SECRET_LENGTH_MIN = 11;

export function redactSecrets(text: string): string {
  if (text.length < SECRET_LENGTH_MIN && !text.includes("=")) return text;
  return text.replace(SECRET_SHAPES, (_whole, query: string | undefined) =>
    query === undefined ? MASK : `${query}${MASK}`,
  );
}

/** True for names such as `authorization` or `provider.apiKey`, whose value is never shown whatever it looks like. */
export function isSecretName(name: string): boolean {
  let isSecret = secretByName.get(name);
  if (isSecret === undefined) {
    isSecret = SECRET_NAME.test(name) || name.endsWith("apiKey");
    if (secretByName.size < NAMES_KEPT) secretByName.set(name, isSecret);
  }
  return isSecret;
}

/** Names of attributes are written in the program, so they are few. */
const NAMES_KEPT = 1_000;
const secretByName = new Map<string, boolean>();

export const SECRET_MASK = MASK;
