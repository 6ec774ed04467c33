// What the pages have in common. A page leaves in `globalThis.peer` the functions that can be called, and in
// `globalThis.ready` "ok", or why it is not.

export const query = new URLSearchParams(location.search);

const fetched = async (name) => {
  const response = await fetch(`/data/${name}`);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return response;
};

export const json = async (name) => (await fetched(name)).json();
export const floats = async (name) => new Float32Array(await (await fetched(name)).arrayBuffer());

const kept = new Map();

/** The first `batch` images of a size, `[batch,3,size,size]`; fetched once, before anything is timed. */
export async function images(size, batch) {
  if (!kept.has(size)) kept.set(size, await floats(`images${size}.bin`));
  return kept.get(size).subarray(0, batch * 3 * size * size);
}

/** Milliseconds of each of `count` runs, one after the other. */
export async function times(count, run) {
  const milliseconds = [];
  while (milliseconds.length < count) {
    const start = performance.now();
    await run();
    milliseconds.push(performance.now() - start);
  }
  return milliseconds;
}

/** Loads and offers a peer. With `cold=SIZE` it classifies an image at once; `coldMs` counts from the navigation. */
export async function offer(load, peer) {
  globalThis.peer = peer;
  try {
    await load();
    if (query.has("cold")) {
      await peer.logits(Number(query.get("cold")), 1);
      globalThis.coldMs = performance.now();
    }
    globalThis.ready = "ok";
  } catch (error) {
    globalThis.ready = String(error?.stack ?? error);
  }
}
