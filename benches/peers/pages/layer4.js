// Fine-tuning in TensorFlow.js: layer4 of a ResNet-18 and a head of six classes learn, all before them is
// frozen and stands as cached activations. Batch norm is folded, so its scale and shift stay as they are.
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";

import { begin, stage, weights } from "./network.js";
import { offer } from "./page.js";

const CLASSES = 6;
const w = {};
let learnt;

async function load() {
  await begin();
  for (const [name, tensor] of Object.entries(await weights())) {
    const learns = name.startsWith("layer4.") && name.endsWith(".w");
    w[name] = learns ? tf.variable(tensor, true, name) : tensor;
  }
  const width = 1 / Math.sqrt(512);
  w["fc.w"] = tf.variable(tf.randomUniform([512, CLASSES], -width, width, "float32", 1));
  w["fc.b"] = tf.variable(tf.zeros([CLASSES]));
  learnt = Object.values(w).filter((tensor) => tensor instanceof tf.Variable);
  if (learnt.length !== 7) throw new Error("weights.bin has no layer4 of a ResNet-18");
}

/** `[N,H,W,256] -> [N,H/2,W/2,512] -> [N,6]` */
const logits = (x) => tf.add(tf.matMul(tf.mean(stage(w, x, 4), [1, 2]), w["fc.w"]), w["fc.b"]);

// Times steps on one cached batch, each from the host asking for it to the loss on the host, which the
// queue delivers after the new weights.
async function steps(size, batch, count) {
  const edge = Math.ceil(size / 16);
  // What a ReLU leaves: nothing negative.
  const x = tf.tidy(() => tf.relu(tf.randomNormal([batch, edge, edge, 256], 0, 1, "float32", 2)));
  const labels = tf.tensor1d(Int32Array.from({ length: batch }, (_, i) => i % CLASSES));
  const y = tf.tidy(() => tf.cast(tf.oneHot(labels, CLASSES), "float32"));
  await Promise.all([x.data(), y.data()]);
  const adam = tf.train.adam(1e-3);
  const milliseconds = [];
  const losses = [];
  while (milliseconds.length < count) {
    const start = performance.now();
    const cost = adam.minimize(() => tf.losses.softmaxCrossEntropy(y, logits(x)), true, learnt);
    losses.push((await cost.data())[0]);
    milliseconds.push(performance.now() - start);
    cost.dispose();
  }
  tf.dispose([x, y, labels]);
  return { milliseconds, losses };
}

offer(load, { steps });
