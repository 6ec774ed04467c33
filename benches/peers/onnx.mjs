// A folded ResNet-18 as an ONNX file. The format is protocol buffers; the few messages of it that are needed are
// written here by hand. Field numbers: https://github.com/onnx/onnx/blob/v1.19.0/onnx/onnx.proto

const [VARINT, BYTES] = [0, 2];
const FLOAT = 1; // TensorProto.DataType
const [INT, INTS] = [2, 7]; // AttributeProto.AttributeType

function varint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return Buffer.from([...bytes, value]);
}

const number = (field, value) => Buffer.concat([varint(field * 8 + VARINT), varint(value)]);

/** A text, bytes, or the parts of a message. */
function nested(field, content) {
  const bytes = Array.isArray(content) ? Buffer.concat(content) : Buffer.from(content);
  return Buffer.concat([varint(field * 8 + BYTES), varint(bytes.length), bytes]);
}

function tensor(name, { shape, values }) {
  const raw = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return [...shape.map((n) => number(1, n)), number(2, FLOAT), nested(8, name), nested(9, raw)];
}

function attribute([name, value]) {
  const typed = Array.isArray(value)
    ? [...value.map((n) => number(8, n)), number(20, INTS)]
    : [number(3, value), number(20, INT)];
  return nested(5, [nested(1, name), ...typed]);
}

function node(op, inputs, output, attributes = {}) {
  const names = [...inputs.map((name) => nested(1, name)), nested(2, output), nested(3, output)];
  return [...names, nested(4, op), ...Object.entries(attributes).map(attribute)];
}

/** A dimension is a number, or a name where any number will do. */
function value(name, dimensions) {
  const dimension = (d) => nested(1, [typeof d === "number" ? number(1, d) : nested(2, d)]);
  const shape = nested(2, dimensions.map(dimension));
  const type = nested(1, [number(1, FLOAT), shape]);
  return [nested(1, name), nested(2, [type])];
}

/** The network `x [n,3,h,w] -> logits [n,6]`, of name -> { shape, values }. */
export function onnx(network) {
  const nodes = [];
  const add = (...words) => {
    nodes.push(node(...words));
    return words[2];
  };
  const convolve = (x, name, stride, pad) => {
    const k = network.get(`${name}.w`).shape[2];
    const sizes = { kernel_shape: [k, k], strides: [stride, stride], pads: [pad, pad, pad, pad] };
    return add("Conv", [x, `${name}.w`, `${name}.b`], name, sizes);
  };
  const relu = (x) => add("Relu", [x], `${x}.relu`);

  let x = relu(convolve("x", "conv1", 2, 3));
  x = add("MaxPool", [x], "maxpool", { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  for (let layer = 1; layer <= 4; layer++) {
    for (const block of [0, 1]) {
      const [at, stride] = [`layer${layer}.${block}`, layer > 1 && block === 0 ? 2 : 1];
      const inner = relu(convolve(x, `${at}.conv1`, stride, 1));
      const outer = convolve(inner, `${at}.conv2`, 1, 1);
      const skip = stride === 2 ? convolve(x, `${at}.downsample.0`, 2, 0) : x;
      x = relu(add("Add", [outer, skip], `${at}.sum`));
    }
  }
  x = add("Flatten", [add("GlobalAveragePool", [x], "pooled")], "features", { axis: 1 });
  add("Gemm", [x, "fc.w", "fc.b"], "logits", { transB: 1 });

  const graph = [
    ...nodes.map((message) => nested(1, message)),
    nested(2, "resnet18"),
    ...[...network].map(([name, content]) => nested(5, tensor(name, content))),
    nested(11, value("x", ["n", 3, "h", "w"])),
    nested(12, value("logits", ["n", network.get("fc.b").shape[0]])),
  ];
  const opset = [number(2, 17)];
  return Buffer.concat([number(1, 8), nested(7, graph), nested(8, opset)]);
}
