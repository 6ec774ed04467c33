"""The training step of `cargo bench --bench train_step` in PyTorch: torchvision's ResNet-18, f32, on the CPU.

`torch_step.py [--batch 64] [--size 128] [--steps 5] [--threads 2] [--channels-last]`
"""

import argparse
import statistics
import time

import torch
import torchvision

parser = argparse.ArgumentParser()
for name, default in [("batch", 64), ("size", 128), ("steps", 5), ("threads", 2)]:
    parser.add_argument(f"--{name}", type=int, default=default)
parser.add_argument("--channels-last", action="store_true")
options = parser.parse_args()

torch.set_num_threads(options.threads)
form = torch.channels_last if options.channels_last else torch.contiguous_format
model = torchvision.models.resnet18(num_classes=6).train().to(memory_format=form)
x = torch.randn(options.batch, 3, options.size, options.size).to(memory_format=form)
classes = torch.arange(options.batch) % 6
times = []
for step in range(options.steps + 1):
    start, cpu = time.perf_counter(), time.process_time()
    loss = torch.nn.functional.cross_entropy(model(x), classes)
    middle = time.perf_counter()
    loss.backward()
    end = time.perf_counter()
    cpu = time.process_time() - cpu
    model.zero_grad(set_to_none=True)
    # The first step allocates.
    if step:
        times.append((middle - start, end - middle, end - start, cpu))
forward, backward, total, cpu = (1000 * statistics.median(part) for part in zip(*times))
print(
    f"torch {torch.__version__}{' channels last' if options.channels_last else ''}: "
    f"batch {options.batch}, size {options.size}: {total:.0f} ms a step ({forward:.0f} forward, "
    f"{backward:.0f} backward), {1000 * options.batch / total:.1f} images/s, {cpu:.0f} ms of CPU"
)
