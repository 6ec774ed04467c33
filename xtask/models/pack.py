#!/usr/bin/env python3
"""Writes the two bundled models that others trained, from the files that they came in.

    pack.py RESNET.safetensors LITE0.safetensors LABELS.txt OUT

RESNET: ImageNet features of a ResNet of basic blocks (2, 2, 2, 3), torchvision's names, no last layer.
LITE0:  EfficientNet-Lite0, timm's names, 1000 outputs, named one a line by LABELS.txt.
Where they come from and under which licence is in the cards, www/models/*.md.
"""
import json
import sys

import numpy as np
from safetensors.numpy import load_file, save_file


def packed(path, metadata, out):
    tensors = {}
    for name, values in load_file(path).items():
        if name.endswith("num_batches_tracked"):
            continue
        tensors[name] = values.astype(np.float16)
    save_file(tensors, out, metadata={"format": "pt", **metadata})


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
    )


main()
