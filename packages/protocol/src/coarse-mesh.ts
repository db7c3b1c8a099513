// A mesh made coarse enough to share: vertices of one grid cell become one, at their mean; triangles that collapse go.
// Used by the page before anything leaves it and again by the gateway, where it counts.

/** At the consent level `lod`, no detail of a room finer than this leaves it (xr reference, section 10). */
export const LOD_ERROR_CM = 4;

export interface PlainMesh {
  readonly positions: Float32Array;
  readonly indices: Uint32Array;
}

/** Vertices move by up to the diagonal of a cell: for an error bound e, cells of e / sqrt(3). */
export function coarsenMesh({ positions, indices }: PlainMesh, errorM: number): PlainMesh {
  const cellM = errorM / Math.sqrt(3);
  const cellOf = new Map<string, number>();
  const vertexCell = new Uint32Array(positions.length / 3);
  const sums: number[] = [];
  for (let vertex = 0; vertex < vertexCell.length; vertex++) {
    const x = positions[vertex * 3] ?? 0;
    const y = positions[vertex * 3 + 1] ?? 0;
    const z = positions[vertex * 3 + 2] ?? 0;
    const key = `${Math.floor(x / cellM)},${Math.floor(y / cellM)},${Math.floor(z / cellM)}`;
    let cell = cellOf.get(key);
    if (cell === undefined) {
      cell = cellOf.size;
      cellOf.set(key, cell);
      sums.push(0, 0, 0, 0);
    }
    vertexCell[vertex] = cell;
    sums[cell * 4] = (sums[cell * 4] ?? 0) + x;
    sums[cell * 4 + 1] = (sums[cell * 4 + 1] ?? 0) + y;
    sums[cell * 4 + 2] = (sums[cell * 4 + 2] ?? 0) + z;
    sums[cell * 4 + 3] = (sums[cell * 4 + 3] ?? 0) + 1;
  }
  const coarse = new Float32Array(cellOf.size * 3);
  for (let cell = 0; cell < cellOf.size; cell++)
    for (let axis = 0; axis < 3; axis++)
      coarse[cell * 3 + axis] = (sums[cell * 4 + axis] ?? 0) / (sums[cell * 4 + 3] ?? 1);
  const kept: number[] = [];
  const known = new Set<string>();
  for (let at = 0; at + 2 < indices.length; at += 3) {
    const a = vertexCell[indices[at] ?? 0] ?? 0;
    const b = vertexCell[indices[at + 1] ?? 0] ?? 0;
    const c = vertexCell[indices[at + 2] ?? 0] ?? 0;
    if (a === b || b === c || c === a) continue;
    const key = [a, b, c].sort((one, other) => one - other).join(",");
    if (known.has(key)) continue;
    known.add(key);
    kept.push(a, b, c);
  }
  return { positions: coarse, indices: Uint32Array.from(kept) };
}

/** Positions in 16 bits an axis between their extremes, as a mesh packet holds them: eight bytes a vertex. */
export function quantizeVertices(positions: Float32Array): {
  readonly min: Float32Array;
  readonly max: Float32Array;
  readonly vertexBytes: Uint8Array;
} {
  const min = new Float32Array(3).fill(Infinity);
  const max = new Float32Array(3).fill(-Infinity);
  for (let at = 0; at < positions.length; at++) {
    const axis = at % 3;
    const value = positions[at] ?? 0;
    if (value < (min[axis] ?? 0)) min[axis] = value;
    if (value > (max[axis] ?? 0)) max[axis] = value;
  }
  const count = Math.floor(positions.length / 3);
  const vertexBytes = new Uint8Array(count * 8);
  const view = new DataView(vertexBytes.buffer);
  for (let vertex = 0; vertex < count; vertex++) {
    for (let axis = 0; axis < 3; axis++) {
      const low = min[axis] ?? 0;
      const size = (max[axis] ?? 0) - low;
      const share = size > 0 ? ((positions[vertex * 3 + axis] ?? 0) - low) / size : 0;
      view.setUint16(vertex * 8 + axis * 2, Math.round(share * 65_535), true);
    }
  }
  return { min, max, vertexBytes };
}

/** The other way round. `bytes` holds eight a vertex. */
export function dequantizeVertices(bytes: Uint8Array, min: Float32Array, max: Float32Array): Float32Array {
  const count = Math.floor(bytes.length / 8);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const positions = new Float32Array(count * 3);
  for (let vertex = 0; vertex < count; vertex++) {
    for (let axis = 0; axis < 3; axis++) {
      const low = min[axis] ?? 0;
      const size = (max[axis] ?? 0) - low;
      positions[vertex * 3 + axis] = low + (view.getUint16(vertex * 8 + axis * 2, true) / 65_535) * size;
    }
  }
  return positions;
}
