#!/usr/bin/env python3
"""Writes the two bundled models that others trained, from the files that they came in.

    pack.py RESNET.safetensors LITE0.safetensors LABELS.txt OUT

RESNET: ImageNet features of a ResNet of basic blocks (2, 2, 2, 3), torchvision's names, no last layer.
LITE0:  EfficientNet-Lite0, timm's names, 1000 outputs, named one a line by LABELS.txt.
Where they come from and under which licence is in the cards, www/models/*.md.

The ResNet's convolutions are rounded to whole numbers of 8 bits, symmetric, with a scale for each output channel: NAME as I8
and NAME.scale as F32, largest magnitude over 127. All else is float16: with 8 bits Lite0 gives another first answer for 7 % of
photos, by its depthwise convolutions of few weights a channel. safetensors writes the metadata in another order each time,
so that the tensors are the same and the file's SHA-256 is not.
"""
import json
import sys

import numpy as np
from safetensors.numpy import load_file, save_file


def packed(path, metadata, out, rounded):
    tensors = {}
    for name, values in load_file(path).items():
        if name.endswith("num_batches_tracked"):
            continue
        if not rounded or values.ndim < 2:
            tensors[name] = values.astype(np.float16)
            continue
        values = values.astype(np.float32)
        largest = np.abs(values).reshape(len(values), -1).max(axis=1)
        scale = (np.where(largest > 0, largest, 1) / 127).astype(np.float32)
        across = scale.reshape(-1, *[1] * (values.ndim - 1))
        tensors[name] = np.clip(np.rint(values / across), -127, 127).astype(np.int8)
        tensors[f"{name}.scale"] = scale
    metadata = {"format": "pt", **metadata}
    if rounded:
        metadata["quantization"] = "int8 per output channel"
    save_file(tensors, out, metadata=metadata)


def main():
    resnet, lite0, labels, out = sys.argv[1:]
    labels = open(labels).read().split("\n")[:1000]
    assert len(set(labels)) == 1000
    packed(
        resnet,
        {
            "arch": "resnet_2223",
            "input": "160",
            "mean": "0.485,0.456,0.406",
            "std": "0.229,0.224,0.225",
            "license": "MIT",
        },
        f"{out}/resnet-2223-imagenet.safetensors",
        rounded=True,
    )
    packed(
        lite0,
        {
            "arch": "efficientnet_lite0",
            "input": "224",
            "mean": "0.5,0.5,0.5",
            "std": "0.5,0.5,0.5",
            "license": "Apache-2.0",
            "classes": json.dumps(labels),
        },
        f"{out}/efficientnet_lite0-imagenet.safetensors",
        rounded=False,
    )


main()
