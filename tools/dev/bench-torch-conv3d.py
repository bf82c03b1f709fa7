#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench-torch-conv3d.py FORNIX [ROUNDS]: `fornix bench conv3d` and the same stack in PyTorch eager, in
turn; prints the medians and how many times faster than torch each path is, by wall and by CPU time.

Needs Debian's python3-torch; no part of the build. CPU time is what counts on a busy machine."""
import json
import statistics
import subprocess
import sys
import time

import torch

torch.manual_seed(1)
LAYERS = [torch.nn.Conv3d(32, 32, 3, padding=1) for _ in range(24)]
X = torch.rand(1, 32, 33, 33, 33)


def stack():
    x = X
    with torch.no_grad():
        for a, b in zip(LAYERS[::2], LAYERS[1::2]):
            x = x + b(torch.relu(a(torch.relu(x))))
    return x


def torch_round(threads, times=3):
    torch.set_num_threads(threads)
    stack()
    rounds = []
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        stack()
        rounds.append(((time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3))
    return tuple(statistics.median(r[i] for r in rounds) for i in range(2))


def fornix_round(program, seen):
    out = subprocess.run([program, "bench", "conv3d", "--json"], check=True, capture_output=True)
    report = json.loads(out.stdout)
    for r in report["results"]:
        if "threads" in r:
            seen.setdefault((r["what"], r["threads"]), []).append((r["ms"], r["cpu_ms"]))
    return report


def main():
    program, rounds, seen = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3, {}
    for _ in range(rounds):
        report = fornix_round(program, seen)
        for threads in sorted({t for _, t in seen}):
            seen.setdefault(("torch", threads), []).append(torch_round(threads))
    peak = report["results"][0]["gflops"]
    print(f"{report['cpu']}, OpenBLAS {report['openblas_core']}, peak {peak:.0f} GFLOP/s a core, "
          f"torch {torch.__version__}")
    median = {k: [statistics.median(r[i] for r in v) for i in range(2)] for k, v in seen.items()}
    for (what, threads), (wall, cpu) in sorted(median.items(), key=lambda m: (m[0][1], m[1][1])):
        ratio = [median["torch", threads][i] / (wall, cpu)[i] for i in range(2)]
        print(f"{what:9s} {threads} threads  {wall:7.1f} ms  CPU {cpu:7.1f} ms  "
              f"{ratio[0]:.2f} x torch, by CPU {ratio[1]:.2f} x")


if __name__ == "__main__":
    main()
