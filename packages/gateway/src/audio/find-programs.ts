import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Speech programs of the machine, by what they do. A path where it is installed, undefined where not. */
export interface SpeechPrograms {
  readonly espeak: string | undefined;
  readonly flite: string | undefined;
  readonly pocketsphinx: string | undefined;
  /** Acoustic model and dictionary that pocketsphinx needs beside the program. */
  readonly pocketsphinxModel: string | undefined;
}

/** Where distributions put the en-us model of pocketsphinx. */
const MODEL_FOLDERS = ["/usr/share/pocketsphinx/model/en-us", "/usr/local/share/pocketsphinx/model/en-us"];

/** Read once at the start; a program installed later is found after a restart. */
export function findSpeechPrograms(searchPath: string | undefined): SpeechPrograms {
  const model = MODEL_FOLDERS.find((path) => isAccessible(path, constants.R_OK));
  return {
    espeak: findProgram("espeak-ng", searchPath),
    flite: findProgram("flite", searchPath),
    pocketsphinx: model === undefined ? undefined : findProgram("pocketsphinx_continuous", searchPath),
    pocketsphinxModel: model,
  };
}

function findProgram(name: string, searchPath: string | undefined): string | undefined {
  const folders = (searchPath ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, name)).find((path) => isAccessible(path, constants.X_OK));
}

function isAccessible(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
