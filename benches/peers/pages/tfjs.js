// Classification in TensorFlow.js.
import * as tf from "@tensorflow/tfjs-core";

import { begin, convolve, stage, weights } from "./network.js";
import { images, offer, times } from "./page.js";

let w;

/** `[N,H,W,3] -> [N,6]` */
function classify(x) {
  x = tf.maxPool(convolve(w, x, "conv1", 2, 3, "relu"), 3, 2, 1, "floor");
  for (const layer of [1, 2, 3, 4]) x = stage(w, x, layer);
  return tf.fused.matMul({ a: tf.mean(x, [1, 2]), b: w["fc.w"], bias: w["fc.b"] });
}

/** `[batch,3,size,size]` to the library's own order, channels last. */
function channelsLast(x, size, batch) {
  const [area, y] = [size * size, new Float32Array(x.length)];
  for (let image = 0; image < batch; image++) {
    for (let c = 0; c < 3; c++) {
      for (let i = 0; i < area; i++) y[(image * area + i) * 3 + c] = x[(image * 3 + c) * area + i];
    }
  }
  return y;
}

const input = async (size, batch) => channelsLast(await images(size, batch), size, batch);

/** Floats on the host to logits on the host. */
async function run(x, size, batch) {
  const y = tf.tidy(() => classify(tf.tensor4d(x, [batch, size, size, 3])));
  const logits = await y.data();
  y.dispose();
  return logits;
}

async function load() {
  await begin();
  w = await weights();
}

offer(load, {
  async logits(size, batch) {
    return Array.from(await run(await input(size, batch), size, batch));
  },
  async infer(size, batch, count) {
    const x = await input(size, batch);
    return times(count, () => run(x, size, batch));
  },
});
