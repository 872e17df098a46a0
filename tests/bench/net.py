#!/usr/bin/python3
"""Nets beside PyTorch: seconds of an epoch, the same layers, in turns.

    make tests/bench/bench_net && python3 tests/bench/net.py build/tests/bench/bench_net [THREADS]

Debian's python3-torch; of each round the least, of the rounds the median of
ratios.  A busy machine is hard on both alike, but not at the same moment.
SPDX-License-Identifier: GPL-3.0-or-later
"""
import statistics
import subprocess
import sys
import time

import torch
from torch import nn

bench = sys.argv[1]
threads = int(sys.argv[2]) if len(sys.argv) > 2 else 2
torch.set_num_threads(threads)
torch.manual_seed(1)
ROUNDS = 3


def conv(a, b):
    return nn.Sequential(nn.Conv2d(a, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU())


def mlp():
    return nn.Sequential(
        nn.Linear(64, 256, bias=False), nn.BatchNorm1d(256), nn.ReLU(),
        nn.Linear(256, 128, bias=False), nn.BatchNorm1d(128), nn.ReLU(),
        nn.Linear(128, 10))


class Cnn(nn.Module):
    """What usual_layers() of src/engine/neural/cnn.c makes of 64 x 64."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            conv(3, 16), nn.MaxPool2d(2), conv(16, 32), nn.MaxPool2d(2), conv(32, 64), nn.MaxPool2d(2))
        self.first = conv(64, 128)
        self.second = nn.Sequential(nn.Conv2d(128, 128, 3, padding=1, bias=False), nn.BatchNorm2d(128))
        self.direct = nn.Sequential(nn.Conv2d(64, 128, 1, bias=False), nn.BatchNorm2d(128))
        self.out = nn.Linear(128, 10)

    def forward(self, x):
        x = self.body(x)
        x = torch.relu(self.second(self.first(x)) + self.direct(x))
        return self.out(x.mean((2, 3)))


def epochs(net, x, y, batch, n):
    opt = torch.optim.AdamW(net.parameters(), lr=1e-3)
    loss = nn.CrossEntropyLoss()
    best = (1e9, 1e9)
    for e in range(n):
        wall, cpu = time.perf_counter(), time.process_time()
        order = torch.randperm(len(x))
        for at in range(0, len(x), batch):
            rows = order[at:at + batch]
            opt.zero_grad()
            loss(net(x[rows]), y[rows]).backward()
            opt.step()
        if e > 0:
            best = min(best[0], time.perf_counter() - wall), min(best[1], time.process_time() - cpu)
    return best


def ours(name, rows, n):
    out = subprocess.run([bench, name, str(threads), str(rows), str(n)], check=True, capture_output=True, text=True)
    return tuple(float(v) for v in out.stdout.split()[1:])


for name, rows, batch, n in (("mlp", 12800, 256, 4), ("cnn", 256, 64, 3)):
    y = torch.randint(0, 10, (rows,))
    if name == "mlp":
        variants = [("", mlp(), torch.rand(rows, 64) * 2 - 1)]
    else:
        x = torch.rand(rows, 3, 64, 64) * 2 - 1
        variants = [("", Cnn(), x),
                    (" channels_last", Cnn().to(memory_format=torch.channels_last),
                     x.contiguous(memory_format=torch.channels_last))]
    for label, net, x in variants:
        walls, cpus = [], []
        for r in range(ROUNDS):
            a, b = ours(name, rows, n), epochs(net, x, y, batch, n)
            walls.append(a[0] / b[0])
            cpus.append(a[1] / b[1])
            print(f"{name}{label}: lathe {a[0]:.3f} s, {a[1]:.3f} s of processors; "
                  f"torch {b[0]:.3f} s, {b[1]:.3f} s", flush=True)
        print(f"{name}{label}: lathe / torch, median: {statistics.median(walls):.2f} of time, "
              f"{statistics.median(cpus):.2f} of processors")
