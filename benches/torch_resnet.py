"""The networks of `cargo bench --bench kernels` in PyTorch, timed the same way.

Prints one JSON object: what ran it, its measured peaks, a row a network, batch and peer, a row a layer.
Progress goes to stderr. Needs torch alone: the family is built here by torchvision's description (V1.5, the
stride in the 3x3 convolution), up to the pooled features, as it is there.

Peers: "torch" is the network as torchvision has it, batch norms after the convolutions; "torch-folded" has
them folded into the convolutions, as ours has. Both in f32, eager, NCHW, without TF32: the same arithmetic.
"""

import argparse
import json
import math
import statistics
import sys
import time

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
    from torch.nn.utils.fusion import fuse_conv_bn_eval
except ImportError as error:
    sys.exit(f"error: no PyTorch in {sys.executable} ({error})")

# Name: bottleneck?, blocks a stage, groups, channels of a group in the first stage.
FAMILY = {
    "resnet18": (False, [2, 2, 2, 2], 1, 64),
    "resnet34": (False, [3, 4, 6, 3], 1, 64),
    "resnet50": (True, [3, 4, 6, 3], 1, 64),
    "resnet101": (True, [3, 4, 23, 3], 1, 64),
    "resnet152": (True, [3, 8, 36, 3], 1, 64),
    "wide_resnet50_2": (True, [3, 4, 6, 3], 1, 128),
    "wide_resnet101_2": (True, [3, 4, 23, 3], 1, 128),
    "resnext50_32x4d": (True, [3, 4, 6, 3], 32, 4),
    "resnext101_32x8d": (True, [3, 4, 23, 3], 32, 8),
}


def conv_norm(channels, outputs, kernel, stride=1, groups=1):
    """A convolution and its batch norm, with values as `benches/kernels/network.rs` has them."""
    conv = nn.Conv2d(channels, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    norm = nn.BatchNorm2d(outputs)
    bound = math.sqrt(6 / (conv.weight[0].numel()))
    nn.init.uniform_(conv.weight, -bound, bound)
    nn.init.constant_(norm.weight, 0.5)
    nn.init.uniform_(norm.bias, -0.1, 0.1)
    nn.init.uniform_(norm.running_mean, -0.1, 0.1)
    return nn.Sequential(conv, norm)


class Block(nn.Module):
    def __init__(self, channels, width, stride, bottleneck, groups, per_group):
        super().__init__()
        out = width * (4 if bottleneck else 1)
        if bottleneck:
            inner = width * per_group // 64 * groups
            convs = [
                conv_norm(channels, inner, 1),
                conv_norm(inner, inner, 3, stride, groups),
                conv_norm(inner, out, 1),
            ]
        else:
            convs = [conv_norm(channels, width, 3, stride), conv_norm(width, width, 3)]
        self.convs = nn.ModuleList(convs)
        self.downsample = None
        if stride != 1 or channels != out:
            self.downsample = conv_norm(channels, out, 1, stride)

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        for conv in self.convs[:-1]:
            x = F.relu(conv(x), inplace=True)
        x = self.convs[-1](x)
        x += shortcut
        return F.relu(x, inplace=True)


class Backbone(nn.Module):
    def __init__(self, name):
        super().__init__()
        bottleneck, blocks, groups, per_group = FAMILY[name]
        self.stem = conv_norm(3, 64, 7, 2)
        self.pool = nn.MaxPool2d(3, 2, 1)
        stages, channels = [], 64
        for stage, count in enumerate(blocks):
            for index in range(count):
                stride = 2 if stage > 0 and index == 0 else 1
                stages.append(Block(channels, 64 << stage, stride, bottleneck, groups, per_group))
                channels = (64 << stage) * (4 if bottleneck else 1)
        self.blocks = nn.Sequential(*stages)

    def forward(self, x):
        x = self.pool(F.relu(self.stem(x), inplace=True))
        return F.adaptive_avg_pool2d(self.blocks(x), 1).flatten(1)


def folded(module):
    """The same with each batch norm in the convolution before it, in place."""
    for name, child in module.named_children():
        if isinstance(child, nn.Sequential) and len(child) == 2 and isinstance(child[1], nn.BatchNorm2d):
            setattr(module, name, fuse_conv_bn_eval(*child))
        elif isinstance(child, nn.ModuleList):
            for i, pair in enumerate(child):
                child[i] = fuse_conv_bn_eval(*pair)
        else:
            folded(child)
    return module


class Clock:
    """CUDA events, which are the GPU's own clock; on a CPU the wall clock."""

    def __init__(self, device):
        self.cuda = device.type == "cuda"

    def device_ms(self, repeats, work):
        """Milliseconds of one run of so many in a row."""
        if not self.cuda:
            return self.wall_ms(repeats, work)
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        # An event is passed as soon as the GPU is idle, so what the CPU queues slower than the GPU runs would
        # count as the CPU's pace; behind a wait of some 3 ms the queue is full when the clock starts.
        torch.cuda._sleep(5_000_000)
        start.record()
        for _ in range(repeats):
            work()
        end.record()
        end.synchronize()
        return start.elapsed_time(end) / repeats

    def wall_ms(self, repeats, work):
        """The same by the wall clock, from one idle moment to the next."""
        self.idle()
        start = time.perf_counter()
        for _ in range(repeats):
            work()
        self.idle()
        return (time.perf_counter() - start) * 1000 / repeats

    def idle(self):
        if self.cuda:
            torch.cuda.synchronize()


def interleaved(measure, works, runs, aim, most=64):
    """Times of each work, in turns; each measurement repeats it for about `aim` ms, at most `most` times."""
    counts = []
    for work in works:
        # The first runs allocate, and choose cuDNN's algorithm.
        measure(2, work)
        counts.append(max(1, min(most, math.ceil(aim / measure(1, work)))))
    times = [[] for _ in works]
    for _ in range(runs):
        for i, work in enumerate(works):
            times[i].append(measure(counts[i], work))
    return times


def figures(times):
    return {
        "ms_min": min(times),
        "ms_median": statistics.median(times),
        "ms_max": max(times),
        "n": len(times),
    }


def values(shape, device):
    return torch.empty(shape, device=device).uniform_(-1, 1)


def peaks(clock, device, runs):
    """A large matrix product, and a copy of what no cache holds."""
    small = device.type == "cpu"
    n = 1024 if small else 8192
    a, b, c = (values((n, n), device) for _ in range(3))
    product = interleaved(clock.device_ms, [lambda: torch.mm(a, b, out=c)], runs, 20)[0]
    elements = (8 if small else 128) << 20
    source, target = (torch.ones(elements, device=device) for _ in range(2))
    copy = interleaved(clock.device_ms, [lambda: target.copy_(source)], runs, 10)[0]
    return {
        "fp32_tflops": 2 * n**3 / min(product) / 1e9,
        "matmul": n,
        "copy_gb_s": 8 * elements / min(copy) / 1e6,
    }


def layers_of(network, x):
    """Each distinct convolution in the order of its first use: its input's shape, itself, how often."""
    found = {}

    def note(conv, inputs, output):
        shape = tuple(inputs[0].shape)
        key = (shape, conv.out_channels, conv.kernel_size, conv.stride, conv.groups)
        flops = 2 * output.numel() * conv.weight[0].numel()
        _, _, count = found.get(key, (None, None, 0))
        found[key] = (conv, flops, count + 1)

    convs = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    hooks = [conv.register_forward_hook(note) for conv in convs]
    network(x)
    for hook in hooks:
        hook.remove()
    return [(key[0], conv, flops, count) for key, (conv, flops, count) in found.items()]


def layer_row(clock, shape, conv, flops, count, runs):
    """One layer alone: convolution, bias, ReLU."""
    x = values(shape, conv.weight.device)
    weight, stride, padding, groups = conv.weight, conv.stride, conv.padding, conv.groups
    bias = values(conv.out_channels, conv.weight.device)

    def work():
        F.relu(F.conv2d(x, weight, bias, stride, padding, groups=groups), inplace=True)

    times = figures(interleaved(clock.device_ms, [work], runs, 2)[0])
    _, channels, height, width = shape
    name = f"{channels}x{height}x{width} k{conv.kernel_size[0]} s{stride[0]} g{groups} -> {conv.out_channels}"
    row = {"layer": name, "count": count, "peer": "torch", **times}
    return {**row, "tflops": flops / times["ms_median"] / 1e9}


def one(clock, name, size, batch, device, options, report):
    """A network at a batch."""
    networks = [Backbone(name).eval().to(device), folded(Backbone(name).eval()).to(device)]
    x = values((batch, 3, size, size), device)
    layers = layers_of(networks[1], x)
    flops = sum(flops * count for _, _, flops, count in layers)
    place = {"arch": name, "size": size, "batch": batch}
    works = [lambda network=network: network(x) for network in networks]
    all_times = interleaved(clock.wall_ms, works, options.runs, 200, 256)
    for peer, times in zip(["torch", "torch-folded"], all_times):
        row = {**place, "what": "forward", "peer": peer, **figures(times)}
        row["tflops"] = flops / row["ms_median"] / 1e9
        row["images_s"] = 1000 * batch / row["ms_median"]
        report["rows"].append(row)
        print(f"{name} {size} x{batch} {peer}: {row['ms_median']:.3f} ms", file=sys.stderr)
    # Batch norms need more than one image.
    if batch > 1 and not options.no_steps:
        report["rows"].append({**place, **step_row(clock, name, size, batch, device, options.runs)})
    if options.layers:
        for layer in layers:
            report["layers"].append({**place, **layer_row(clock, *layer, options.runs)})


class Training(nn.Module):
    """A network and a head, trained whole as `benches/kernels/step.rs` does: AdamW, clipping, an average of the weights."""

    def __init__(self, name, batch, size, device):
        super().__init__()
        backbone = Backbone(name)
        features = backbone(torch.zeros(2, 3, 64, 64)).shape[1]
        self.network = nn.Sequential(backbone, nn.Linear(features, 6)).to(device).train()
        self.optimizer = torch.optim.AdamW(self.network.parameters(), weight_decay=0.05)
        self.average = [p.detach().clone() for p in self.network.parameters()]
        self.x = values((batch, 3, size, size), device)
        self.labels = torch.arange(batch, device=device) % 6

    def step(self):
        with torch.enable_grad():
            self.optimizer.zero_grad(set_to_none=True)
            F.cross_entropy(self.network(self.x), self.labels).backward()
        parameters = list(self.network.parameters())
        nn.utils.clip_grad_norm_(parameters, 1.0)
        self.optimizer.step()
        torch._foreach_lerp_(self.average, parameters, 0.01)


def step_row(clock, name, size, batch, device, runs):
    training = Training(name, batch, size, device)
    row = figures(interleaved(clock.wall_ms, [training.step], runs, 200)[0])
    return {"what": "step", "peer": "torch", **row, "images_s": 1000 * batch / row["ms_median"]}


def listed(kind):
    return lambda text: [kind(word) for word in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--arch", type=listed(str), default=["resnet18", "resnet50"])
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=listed(int), default=[1, 16, 64])
    parser.add_argument("--runs", type=int, default=15, help="measurements of each figure")
    parser.add_argument("--layers", action="store_true", help="each distinct layer as well")
    parser.add_argument("--no-steps", action="store_true", help="leave out a training step")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--json", help="write the figures here too, after every network and batch")
    options = parser.parse_args()
    for name in options.arch:
        if name not in FAMILY:
            parser.error(f"{name} is no network here")
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit("error: PyTorch sees no CUDA device here (--device cpu measures the CPU, which says nothing about a GPU)")

    device = torch.device(options.device)
    torch.manual_seed(1)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    cuda = device.type == "cuda"
    report = {
        "device": torch.cuda.get_device_name(device) if cuda else f"CPU, {torch.get_num_threads()} threads",
        "torch": torch.__version__,
        "cuda": torch.version.cuda if cuda else None,
        "cudnn": torch.backends.cudnn.version() if cuda else None,
        "rows": [],
        "layers": [],
    }
    clock = Clock(device)
    with torch.no_grad():
        report["peaks"] = peaks(clock, device, options.runs)
        for name in options.arch:
            for batch in options.batch:
                one(clock, name, options.size, batch, device, options, report)
                if options.json:
                    with open(options.json, "w", encoding="utf-8") as file:
                        json.dump(report, file, indent=2)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
