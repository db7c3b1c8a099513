// What a model says of itself: the names of its inputs. Canonical fields are sent under the model's own names, found by
// what it has, never by which model it is. Without a card the names that most language models use are taken.
import type { Warning } from "@fovea/core";
import { arrayOf, recordOf, stringOf, type JsonRecord } from "../json-body.ts";

export interface ModelCard {
  /** Names the version to run, for models that run by version alone. */
  readonly version?: string;
  readonly inputs: ReadonlyMap<string, InputProperty>;
}

export interface InputProperty {
  readonly isList: boolean;
  readonly choices: readonly string[];
}

/** `GET /models/{owner}/{name}` of Replicate, or `/openapi.json` of a Cog container. Undefined where there is no schema. */
export function decodeModelCard(body: unknown): ModelCard | undefined {
  const model = recordOf(body);
  const latest = recordOf(model?.["latest_version"]) ?? model;
  const schema = recordOf(latest?.["openapi_schema"]) ?? model;
  const schemas = recordOf(recordOf(schema?.["components"])?.["schemas"]);
  const properties = recordOf(recordOf(schemas?.["Input"])?.["properties"]);
  if (properties === undefined) return undefined;
  const inputs = new Map<string, InputProperty>();
  for (const [name, value] of Object.entries(properties)) inputs.set(name, propertyOf(recordOf(value), schemas));
  const version = recordOf(model?.["latest_version"]) === undefined ? undefined : stringOf(latest?.["id"]);
  return { inputs, ...(version === undefined ? {} : { version }) };
}

/** Choices stand in a schema of their own, which the property refers to. */
function propertyOf(property: JsonRecord | undefined, schemas: JsonRecord | undefined): InputProperty {
  const reference = stringOf(recordOf(arrayOf(property?.["allOf"])[0])?.["$ref"])
    ?.split("/")
    .at(-1);
  const choices = recordOf(schemas?.[reference ?? ""])?.["enum"] ?? property?.["enum"];
  return {
    isList: property?.["type"] === "array",
    choices: arrayOf(choices).filter((choice) => typeof choice === "string"),
  };
}

/** Fills `input` under the model's names; what it has no name for is warned of. */
export class InputWriter {
  readonly input: Record<string, unknown> = {};
  readonly warnings: Warning[] = [];
  readonly #card: ModelCard | undefined;

  constructor(card: ModelCard | undefined) {
    this.#card = card;
  }

  has(name: string): boolean {
    return this.#card?.inputs.has(name) ?? true;
  }

  property(name: string): InputProperty | undefined {
    return this.#card?.inputs.get(name);
  }

  /** The first of the names that the model has; the first of all where nothing is known of it. */
  nameOf(names: readonly string[]): string | undefined {
    return this.#card === undefined ? names[0] : names.find((name) => this.#card?.inputs.has(name));
  }

  put(field: string, names: readonly string[], value: unknown): void {
    if (value === undefined) return;
    const name = this.nameOf(names);
    if (name === undefined) this.refuse(field, "this model has no such input");
    else this.input[name] = this.property(name)?.isList === true && !Array.isArray(value) ? [value] : value;
  }

  refuse(field: string, message: string): void {
    this.warnings.push({ field, message });
  }
}
