// What all peers run: the bundled ResNet-18 with its batch norms folded into the convolutions, as ONNX and as
// plain floats; sixteen inputs of each size; and the logits of the first, in float64 by the definition, which
// every peer must match before it is timed.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

import { onnx } from "./onnx.mjs";

const SIZES = [150, 224];
const IMAGES = 16;
const EPSILON = 1e-5;

/** SHA-256 of all that the files follow from. */
function origin(checkpoint) {
  const hash = createHash("sha256");
  const scripts = ["model.mjs", "onnx.mjs"].map((name) => join(import.meta.dirname, name));
  for (const file of [checkpoint, ...scripts]) hash.update(readFileSync(file));
  return hash.digest("hex");
}

/** Writes the files, if they are not there or follow from something else. meta.json is the last of them. */
export function makeModel(checkpoint, folder) {
  const meta = join(folder, "meta.json");
  const from = origin(checkpoint);
  if (existsSync(meta) && JSON.parse(readFileSync(meta, "utf8")).from === from) return;
  mkdirSync(folder, { recursive: true });
  const put = (name, values) => writeFileSync(join(folder, name), values);
  const network = folded(readSafetensors(checkpoint));
  put("resnet18.onnx", onnx(network));

  const entries = [];
  const parts = [];
  let at = 0;
  for (const [name, tensor] of network) {
    const { shape, values } = inputsFirst(tensor);
    entries.push({ name, shape, at });
    parts.push(values);
    at += values.length;
  }
  put("weights.bin", Buffer.concat(parts.map(({ buffer }) => new Uint8Array(buffer))));

  for (const size of SIZES) {
    const images = noise(IMAGES * 3 * size * size, size);
    put(`images${size}.bin`, images);
    put(`logits${size}.bin`, Float32Array.from(logits(network, images, size)));
  }
  const about = { weights: basename(checkpoint), inputs: "uniform noise", from, entries };
  writeFileSync(meta, JSON.stringify(about));
}

/** name -> { shape, values }, of a file of 16-bit or 32-bit floats. */
function readSafetensors(path) {
  const file = readFileSync(path);
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString("utf8", 8, start));
  delete header.__metadata__;
  const read = ({ dtype, shape, data_offsets: [from, to] }) => {
    const bytes = file.subarray(start + from, start + to);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const width = { F16: 2, F32: 4 }[dtype];
    if (!width) throw new Error(`${path}: ${dtype} is not read here`);
    const value = width === 2 ? (i) => half(view.getUint16(2 * i, true)) : (i) => view.getFloat32(4 * i, true);
    return { shape, values: Float64Array.from({ length: bytes.length / width }, (_, i) => value(i)) };
  };
  return new Map(Object.entries(header).map(([name, entry]) => [name, read(entry)]));
}

/** IEEE 754 binary16: a sign, 5 bits of exponent, 10 of fraction. */
function half(bits) {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent ? sign * 2 ** (exponent - 25) * (1024 + fraction) : sign * 2 ** -24 * fraction;
}

/** The convolutions in the order they run: name, its batch norm, stride, padding. */
function* convolutions() {
  yield { name: "conv1", norm: "bn1", stride: 2, pad: 3 };
  for (let layer = 1; layer <= 4; layer++) {
    for (const block of [0, 1]) {
      const [at, stride] = [`layer${layer}.${block}`, layer > 1 && block === 0 ? 2 : 1];
      yield { name: `${at}.conv1`, norm: `${at}.bn1`, stride, pad: 1 };
      yield { name: `${at}.conv2`, norm: `${at}.bn2`, stride: 1, pad: 1 };
      if (stride === 2) yield { name: `${at}.downsample.0`, norm: `${at}.downsample.1`, stride, pad: 0 };
    }
  }
}

/** name.w `[out,in,kh,kw]`, name.b `[out]`, fc.w `[out,in]`, fc.b; rounded to 32 bits, as everyone gets them. */
function folded(tensors) {
  const values = (name) => tensors.get(name).values;
  const network = new Map();
  const add = (name, shape, from) => network.set(name, { shape, values: Float32Array.from(from) });
  for (const { name, norm } of convolutions()) {
    const { shape, values: kernel } = tensors.get(`${name}.weight`);
    const variance = values(`${norm}.running_var`);
    const scale = values(`${norm}.weight`).map((gamma, i) => gamma / Math.sqrt(variance[i] + EPSILON));
    const mean = values(`${norm}.running_mean`);
    const each = kernel.length / shape[0];
    add(`${name}.w`, shape, kernel.map((w, i) => w * scale[Math.floor(i / each)]));
    add(`${name}.b`, [shape[0]], values(`${norm}.bias`).map((beta, i) => beta - mean[i] * scale[i]));
  }
  add("fc.w", tensors.get("fc.weight").shape, values("fc.weight"));
  add("fc.b", tensors.get("fc.bias").shape, values("fc.bias"));
  return network;
}

/** As TensorFlow.js wants them, so that its page need not turn them: `[kh,kw,in,out]`, `[in,out]`. */
function inputsFirst({ shape, values }) {
  if (shape.length === 1) return { shape, values };
  const [out, inputs, ...kernel] = shape;
  const taps = kernel.reduce((a, b) => a * b, 1);
  const turned = new Float32Array(values.length);
  for (let o = 0; o < out; o++) {
    for (let i = 0; i < inputs; i++) {
      for (let tap = 0; tap < taps; tap++) turned[(tap * inputs + i) * out + o] = values[(o * inputs + i) * taps + tap];
    }
  }
  return { shape: [...kernel, inputs, out], values: turned };
}

/** Uniform values of the spread of normalised images, the same for a seed (mulberry32). */
function noise(length, seed) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return Float32Array.from({ length }, () => 4.5 * next() - 2);
}

/** Logits `[6]` of the first image of `[N,3,size,size]`, by the definition. */
function logits(network, images, size) {
  let x = { c: 3, edge: size, values: Float64Array.from(images.subarray(0, 3 * size * size)) };
  const steps = new Map([...convolutions()].map((step) => [step.name, step]));
  const run = (input, name) => convolve(network, input, steps.get(name));
  x = maxPool(relu(run(x, "conv1")));
  for (let layer = 1; layer <= 4; layer++) {
    for (const block of [0, 1]) {
      const at = `layer${layer}.${block}`;
      const inner = relu(run(x, `${at}.conv1`));
      const outer = run(inner, `${at}.conv2`);
      const skip = steps.has(`${at}.downsample.0`) ? run(x, `${at}.downsample.0`) : x;
      x = relu({ ...outer, values: outer.values.map((v, i) => v + skip.values[i]) });
    }
  }
  const area = x.edge * x.edge;
  const sum = (values) => values.reduce((a, b) => a + b, 0);
  const features = Array.from({ length: x.c }, (_, c) => sum(x.values.subarray(c * area, (c + 1) * area)) / area);
  const [w, b] = ["fc.w", "fc.b"].map((name) => network.get(name).values);
  return Array.from(b, (bias, k) => features.reduce((a, f, c) => a + f * w[k * features.length + c], bias));
}

const relu = (x) => ({ ...x, values: x.values.map((v) => Math.max(v, 0)) });

/** `[in,edge,edge] -> [out,e,e]`, e = floor((edge + 2 pad - k) / stride) + 1. */
function convolve(network, { c: channels, edge, values: x }, { name, stride, pad }) {
  const { shape: [out, , k], values: w } = network.get(`${name}.w`);
  const bias = network.get(`${name}.b`).values;
  const e = Math.floor((edge + 2 * pad - k) / stride) + 1;
  const y = new Float64Array(out * e * e);
  // The outputs whose tap `t` lies within the image.
  const range = (t) => [Math.ceil(Math.max(pad - t, 0) / stride), Math.min(e - 1, Math.floor((edge - 1 + pad - t) / stride))];
  for (let o = 0; o < out; o++) {
    y.fill(bias[o], o * e * e, (o + 1) * e * e);
    for (let c = 0; c < channels; c++) {
      for (let ky = 0; ky < k; ky++) {
        const [firstRow, lastRow] = range(ky);
        for (let kx = 0; kx < k; kx++) {
          const [first, last] = range(kx);
          const weight = w[((o * channels + c) * k + ky) * k + kx];
          for (let row = firstRow; row <= lastRow; row++) {
            const to = (o * e + row) * e;
            const from = (c * edge + row * stride + ky - pad) * edge + kx - pad;
            for (let column = first; column <= last; column++) y[to + column] += weight * x[from + column * stride];
          }
        }
      }
    }
  }
  return { c: out, edge: e, values: y };
}

/** Windows of 3, stride 2, padding 1. */
function maxPool({ c: channels, edge, values: x }) {
  const e = Math.floor((edge - 1) / 2) + 1;
  const y = new Float64Array(channels * e * e).fill(-Infinity);
  for (let c = 0; c < channels; c++) {
    for (let row = 0; row < e; row++) {
      for (let column = 0; column < e; column++) {
        const at = (c * e + row) * e + column;
        for (let i = Math.max(2 * row - 1, 0); i <= Math.min(2 * row + 1, edge - 1); i++) {
          for (let j = Math.max(2 * column - 1, 0); j <= Math.min(2 * column + 1, edge - 1); j++) {
            y[at] = Math.max(y[at], x[(c * edge + i) * edge + j]);
          }
        }
      }
    }
  }
  return { c: channels, edge: e, values: y };
}
