"""Every network beside PyTorch: error of the logits, parameters, multiply-adds, and the time of a forward of one image on
one thread, f32, without the last layer here and with it there. Both take turns, network by network; the fastest of all
runs counts, as others may use the machine.

    pip install torch torchvision timm
    cargo bench --bench networks --no-run       # prints the program's path
    python3 benches/torch_networks.py PROGRAM [--arch NAME,NAME] [--runs 5] [--rounds 2]
"""

import argparse
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../tests/fixtures/reference"))

import torch
from make_reference import MODELS, build

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("--arch", default="")
parser.add_argument("--runs", type=int, default=5)
parser.add_argument("--rounds", type=int, default=2)
options = parser.parse_args()
torch.set_num_threads(1)
torch.set_grad_enabled(False)


def ours(name):
    command = [options.program, "--arch", name, "--runs", str(options.runs)]
    environment = {**os.environ, "RAYON_NUM_THREADS": "1"}
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(output.stdout)


def torchs(name, size):
    model = build(name).eval()
    x = torch.randn(1, 3, size, size)
    times = []
    for _ in range(options.runs + 1):
        start = time.perf_counter()
        model(x)
        times.append(1000 * (time.perf_counter() - start))
    return min(times[1:])


print("| network | pixels | error | parameters | multiply-adds | ms | PyTorch, ms | ours / PyTorch |")
print("|---|--:|--:|--:|--:|--:|--:|--:|")
for name in options.arch.split(",") if options.arch else MODELS:
    best = [float("inf"), float("inf")]
    for _ in range(options.rounds):
        row = ours(name)
        best = [min(best[0], row["milliseconds"]), min(best[1], torchs(name, row["size"]))]
    print(
        f"| {name} | {row['size']} | {row['error']:.0e} | {row['parameters']:,} | {row['multiply_adds']:,} "
        f"| {best[0]:.1f} | {best[1]:.1f} | {best[0] / best[1]:.2f} |".replace(",", " "),
        flush=True,
    )
