"""What a process of the engine keeps of batches that it has computed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SHAPES = """
import os
from pathlib import Path
from training_app.engine.__main__ import ENVIRONMENT
os.environ.update(ENVIRONMENT)
import torch

def held():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) // 1024

def compute(lengths):
    for length in lengths:
        torch.nn.functional.linear(torch.ones(length, 256, dtype=torch.bfloat16), weight)

torch.set_num_threads(1)
weight = torch.ones(704, 256, dtype=torch.bfloat16)
with torch.no_grad():
    compute(range(1, 100))
    before = held()
    compute(range(100, 400))
print(held() - before)
"""


def test_batches_of_many_lengths_leave_little_behind_in_memory() -> None:
    done = subprocess.run([sys.executable, "-c", SHAPES], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 100, "megabytes; every length had kernels of its own kept, 200 in all"
