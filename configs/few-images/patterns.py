#!/usr/bin/env python3
"""Draws a data set whose classes are no scenes: patterns.py OUT

Eight patterns, each in colours, sizes, angles and places that are drawn anew, under noise and a shadow, so that colour and
brightness say nothing: OUT/train and OUT/test with 60 and 50 images of 150 x 150 a class. Needs NumPy and Pillow.
"""
import pathlib
import sys

import numpy as np
from PIL import Image

SIZE = 150
PARTS = {"train": 60, "test": 50}


def stripes(u, v, r):
    return np.sin(u) > 0


def waves(u, v, r):
    return np.sin(u + 1.5 * np.sin(v * 0.7)) > 0


def dots(u, v, r):
    return np.sin(u) * np.sin(v) > 0.35


def checks(u, v, r):
    return (np.sin(u) > 0) ^ (np.sin(v) > 0)


def bricks(u, v, r):
    row = np.floor(v / np.pi)
    return (np.abs(np.sin(v)) > 0.25) & (np.abs(np.sin(u / 2 + row % 2 * np.pi / 2)) > 0.15)


def rings(u, v, r):
    return np.sin(np.hypot(u, v)) > 0


def rays(u, v, r):
    return np.sin(np.arctan2(v, u) * r.integers(8, 15)) > 0


def grid(u, v, r):
    return (np.abs(np.sin(u / 2)) < 0.2) | (np.abs(np.sin(v / 2)) < 0.2)


PATTERNS = [stripes, waves, dots, checks, bricks, rings, rays, grid]


def draw(pattern, r):
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    x, y = x - r.uniform(-30, 30), y - r.uniform(-30, 30)
    angle, scale = r.uniform(0, np.pi), r.uniform(0.15, 0.45)
    u = scale * (np.cos(angle) * x - np.sin(angle) * y)
    v = scale * (np.sin(angle) * x + np.cos(angle) * y)
    on = pattern(u, v, r)[..., None]
    colours = r.uniform(0, 255, (2, 3))
    while abs(colours[0].mean() - colours[1].mean()) < 40:
        colours = r.uniform(0, 255, (2, 3))
    shadow = 1 - 0.4 * r.random() * (np.cos(0.02 * x + r.uniform(0, 6)) ** 2)[..., None]
    pixels = np.where(on, *colours) * shadow + r.normal(0, r.uniform(4, 25), (SIZE, SIZE, 1))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def main():
    out = pathlib.Path(sys.argv[1])
    r = np.random.default_rng(1)
    for part, images in PARTS.items():
        for pattern in PATTERNS:
            folder = out / part / pattern.__name__
            folder.mkdir(parents=True, exist_ok=True)
            for i in range(images):
                draw(pattern, r).save(folder / f"{i}.jpg", quality=90)


main()
