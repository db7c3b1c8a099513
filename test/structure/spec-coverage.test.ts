// Every numbered rule of docs/spec/*.md is cited by a test title, and every cited id exists.
// A rule is a list line `- **CB1** text`; a citation is `[CB1]` in a test title.
import assert from "node:assert/strict";
import { globSync } from "node:fs";
import test from "node:test";
import { read, ROOT, testFiles } from "./sources.ts";

const RULE = /^- \*\*([A-Z]{2,4}\d+[a-z]?)\*\*/gm;
const CITATION = /\[([A-Z]{2,4}\d+[a-z]?)\]/g;

const rules = new Map<string, string>();
const duplicates: string[] = [];
for (const page of [...globSync("docs/spec/*.md", { cwd: ROOT }).sort(), "ARCHITECTURE.md"]) {
  for (const match of read(page).matchAll(RULE)) {
    const id = match[1] as string;
    if (rules.has(id)) duplicates.push(`${id} in ${rules.get(id)} and ${page}`);
    rules.set(id, page);
  }
}

const citations = new Map<string, string>();
for (const file of testFiles()) {
  // Only titles count: a rule is covered by a test that names it, not by a remark.
  const text = read(file);
  for (const match of text.matchAll(
    /\b(?:test|it|describe)(?:\.skip)?\(\s*(?:`[^`]*`|"(?:[^"\\]|\\.)*")|title:\s*(?:`[^`]*`|"(?:[^"\\]|\\.)*")/g,
  )) {
    for (const id of match[0].matchAll(CITATION)) citations.set(id[1] as string, file);
  }
}

test("rule ids are unique", () => assert.deepEqual(duplicates, []));

test("every rule is cited by a test", () => {
  assert.deepEqual(
    [...rules].filter(([id]) => !citations.has(id)).map(([id, page]) => `${id} (${page})`),
    [],
  );
});

test("every cited rule exists", () => {
  assert.deepEqual(
    [...citations].filter(([id]) => !rules.has(id)).map(([id, file]) => `${id} (${file})`),
    [],
  );
});
