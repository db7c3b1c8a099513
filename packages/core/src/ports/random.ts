/** Uniform numbers in [0, 1). One instance per purpose, so that adding a consumer does not move another's sequence. */
export interface Random {
  next(): number;
}
