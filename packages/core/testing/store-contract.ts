import assert from "node:assert/strict";
import type { Store } from "../src/ports/store.ts";
import type { ContractCase } from "./contract-case.ts";

/** What the suite needs beside the store: time that it can move. */
export interface StoreSubject {
  readonly store: Store;
  readonly advance: (byMs: number) => void;
}

/** What every `Store` promises. docs/spec/store.md */
export const STORE_CONTRACT: readonly ContractCase<StoreSubject>[] = [
  {
    title: "[STO1] what was set is got, and setting again replaces it",
    run: async ({ store }) => {
      await store.set("a", "one");
      assert.equal(await store.get("a"), "one");
      await store.set("a", "two");
      assert.equal(await store.get("a"), "two");
    },
  },
  {
    title: "[STO2] a key that was never set, or was deleted, is undefined",
    run: async ({ store }) => {
      assert.equal(await store.get("absent"), undefined);
      await store.set("a", "one");
      assert.equal(await store.delete("a"), true);
      assert.equal(await store.get("a"), undefined);
      assert.equal(await store.delete("a"), false);
    },
  },
  {
    title: "[STO3] an entry is absent from the millisecond its time is over",
    run: async ({ store, advance }) => {
      await store.set("a", "one", 1000);
      advance(999);
      assert.equal(await store.get("a"), "one");
      advance(1);
      assert.equal(await store.get("a"), undefined);
      assert.equal(await store.delete("a"), false);
      assert.deepEqual(await store.keys("", 10), []);
    },
  },
  {
    title: "[STO4] setting without a time makes an entry stay that had one",
    run: async ({ store, advance }) => {
      await store.set("a", "one", 1000);
      await store.set("a", "two");
      advance(5000);
      assert.equal(await store.get("a"), "two");
    },
  },
  {
    title: "[STO5] keys lists by prefix in byte order, at most the limit, and takes the prefix literally",
    run: async ({ store }) => {
      for (const key of ["k:b", "k:a", "k:%", "k:\u{1f600}", "k:\uffee", "other", "k_x", "K:a"])
        await store.set(key, "v");
      assert.deepEqual(await store.keys("k:", 10), ["k:%", "k:a", "k:b", "k:\uffee", "k:\u{1f600}"]);
      assert.deepEqual(await store.keys("k:", 2), ["k:%", "k:a"]);
      assert.deepEqual(await store.keys("k:%", 10), ["k:%"]);
    },
  },
  {
    title: "[STO6] empty values, long values and any text survive unchanged",
    run: async ({ store }) => {
      for (const value of ["", "x".repeat(1_000_000), "line\nquote\"' \u{1f44b} ünï"]) {
        await store.set("a", value);
        assert.equal(await store.get("a"), value);
      }
    },
  },
  {
    title: "[STO10] many are set as one by one, with their time",
    run: async ({ store, advance }) => {
      const { setMany } = store;
      if (setMany === undefined) return;
      await setMany.call(store, [], 1000);
      await setMany.call(
        store,
        [
          ["a", "old"],
          ["b", "two"],
          ["a", "one"],
        ] as const,
        1000,
      );
      assert.deepEqual([await store.get("a"), await store.get("b")], ["one", "two"]);
      advance(1000);
      assert.deepEqual(await store.keys("", 10), []);
      await setMany.call(store, [["c", "three"]] as const);
      advance(100_000);
      assert.equal(await store.get("c"), "three");
    },
  },
];
