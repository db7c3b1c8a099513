import { access, constants } from "node:fs/promises";
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

export async function findSpeechPrograms(searchPath: string): Promise<SpeechPrograms> {
  const [espeak, flite, pocketsphinx, model] = await Promise.all([
    findProgram("espeak-ng", searchPath),
    findProgram("flite", searchPath),
    findProgram("pocketsphinx_continuous", searchPath),
    firstReadable(MODEL_FOLDERS),
  ]);
  return { espeak, flite, pocketsphinx: model === undefined ? undefined : pocketsphinx, pocketsphinxModel: model };
}

async function findProgram(name: string, searchPath: string): Promise<string | undefined> {
  const folders = searchPath.split(delimiter).filter((folder) => folder !== "");
  return firstReadable(
    folders.map((folder) => join(folder, name)),
    constants.X_OK,
  );
}

async function firstReadable(paths: readonly string[], mode: number = constants.R_OK): Promise<string | undefined> {
  for (const path of paths) {
    const found = await access(path, mode).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}
