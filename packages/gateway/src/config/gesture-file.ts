import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { GestureModel } from "@fovea/core";
import { GatewayError, parseGestureModel } from "@fovea/core";
import { ConfigurationError } from "./config-problem.ts";
import type { ResolvedConfig } from "./resolve-config.ts";

const KEY = "gestures.modelFile";

/** A model of a thousand gestures is below this. */
const BYTES_MAX = 16 * 1_048_576;

/** Undefined where none is configured. Throws `ConfigurationError` for a file that is no gesture model. */
export function readGestureFile(config: ResolvedConfig): GestureModel | undefined {
  const { modelFile } = config.settings.gestures;
  if (modelFile === undefined) return undefined;
  const path = resolve(modelFile);
  const model = parse(config, path, read(config, path));
  if (model.spot === undefined && model.poses.length === 0) {
    throw problem(config, `\`${path}\` was trained for single sequences and not for streams`);
  }
  return model;
}

function read(config: ResolvedConfig, path: string): string {
  try {
    const bytes = readFileSync(path);
    if (bytes.length <= BYTES_MAX) return bytes.toString("utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown";
    throw problem(config, `\`${path}\` cannot be read (${code})`);
  }
  throw problem(config, `\`${path}\` is larger than ${BYTES_MAX} bytes`);
}

function parse(config: ResolvedConfig, path: string, text: string): GestureModel {
  try {
    return parseGestureModel(text);
  } catch (error) {
    if (!GatewayError.is(error)) throw error;
    throw problem(config, `\`${path}\` is not a gesture model: ${error.message}`);
  }
}

function problem(config: ResolvedConfig, message: string): ConfigurationError {
  const remedy = "Make one with `npx fovea gestures train`";
  return new ConfigurationError([{ where: config.originOf(KEY), key: KEY, message, remedy }]);
}
