// Text embeddings without a model: character trigrams and words, hashed into 256 signed buckets (Weinberger et al. 2009,
// feature hashing). They compare spelling, not meaning: "chair" is near "chairs" and far from "seat".
export const EMBEDDING_DIMENSIONS = 256;

/** A vector of length one; all zeros for a text without letters or digits. */
export function embedText(text: string, dimensions = EMBEDDING_DIMENSIONS): Float32Array {
  const vector = new Float32Array(dimensions);
  const words =
    text
      .normalize("NFKC")
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [];
  for (const word of words) {
    addFeature(vector, `w:${word}`, 1.5);
    const padded = `^${word}$`;
    for (let i = 0; i + 3 <= padded.length; i++) addFeature(vector, padded.slice(i, i + 3), 1);
  }
  let size = 0;
  for (const value of vector) size += value * value;
  if (size === 0) return vector;
  const scale = 1 / Math.sqrt(size);
  return vector.map((value) => value * scale);
}

function addFeature(vector: Float32Array, feature: string, weight: number): void {
  const hash = hashOf(feature);
  const index = (hash >>> 1) % vector.length;
  vector[index] = (vector[index] as number) + (hash & 1 ? weight : -weight);
}

/** FNV-1a over UTF-16 units with a final mix, so that the low bits depend on all letters. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return (hash ^ (hash >>> 12)) >>> 0;
}
