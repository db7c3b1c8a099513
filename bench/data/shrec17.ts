// Reads the SHREC'17 training sequences of FOVEA_DATA/gestures/shrec17 (format: the README there).
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { GestureExample } from "@fovea/core";

export interface Shrec17Example extends GestureExample {
  readonly performer: string;
  readonly label14: number;
  readonly label28: number;
}

export function readShrec17(data = process.env["FOVEA_DATA"] ?? "../shared/data"): Shrec17Example[] {
  const folder = `${data}/gestures/shrec17`;
  const { rows } = JSON.parse(readFileSync(`${folder}/index.json`, "utf8")) as { rows: number[][] };
  const bytes = gunzipSync(readFileSync(`${folder}/joints.i16.gz`));
  const raw = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1);
  return rows.map((row) => {
    const [gesture, finger, subject, , label14, label28, samples, byteOffset] = row as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const joints = new Float32Array(samples * 66);
    for (let channel = 0; channel < 66; channel++) {
      let value = 0;
      for (let i = 0; i < samples; i++) {
        value += raw[(byteOffset >> 1) + channel * samples + i]!;
        joints[i * 66 + channel] = value * 1e-4;
      }
    }
    return {
      sequence: { joints, fps: 30 },
      label: `${gesture}/${finger}`,
      performer: String(subject),
      label14,
      label28,
    };
  });
}
