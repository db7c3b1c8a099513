/** The share of the query's words that a document has: enough to rank the obvious first. Best first, ties in order. */
export function rankOf(
  query: string,
  documents: readonly string[],
  topN: number | undefined,
): readonly { readonly index: number; readonly relevance_score: number }[] {
  const words = new Set(query.toLowerCase().match(/\p{L}+/gu) ?? []);
  const scored = documents.map((document, index) => {
    const found = new Set(document.toLowerCase().match(/\p{L}+/gu) ?? []);
    const hits = [...words].filter((word) => found.has(word)).length;
    return { index, relevance_score: words.size === 0 ? 0 : Math.round((hits / words.size) * 1e6) / 1e6 };
  });
  return scored
    .sort((a, b) => b.relevance_score - a.relevance_score || a.index - b.index)
    .slice(0, topN ?? documents.length);
}
