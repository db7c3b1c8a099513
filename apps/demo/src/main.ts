// Decides where the page runs. The emulator, where one is needed, must stand before anything else looks at navigator.xr;
// the application itself is therefore loaded afterwards.
import type { EmulatedRoom } from "@fovea/client/testing";

const query = new URLSearchParams(location.search);

async function hasHeadset(): Promise<boolean> {
  if (query.has("emulate") || query.has("room")) return false;
  try {
    return (await navigator.xr?.isSessionSupported("immersive-ar")) === true;
  } catch {
    return false;
  }
}

async function start(): Promise<void> {
  if (await hasHeadset()) {
    const { run } = await import("./app.ts");
    await run(undefined);
    return;
  }
  const { emulate, EMULATED_ROOMS } = await import("@fovea/client/testing");
  const room = EMULATED_ROOMS.find((name) => name === query.get("room")) ?? ("office_small" satisfies EmulatedRoom);
  // The page draws the room itself.
  const device = await emulate(room, { drawsBackground: false });
  const { run } = await import("./app.ts");
  await run({ device, room, rooms: EMULATED_ROOMS });
}

start().catch((error: unknown) => {
  const status = document.querySelector<HTMLElement>("#status");
  if (status !== null) {
    status.dataset["state"] = "lost";
    status.lastElementChild?.replaceChildren(error instanceof Error ? error.message : String(error));
  }
  console.error(error);
});
