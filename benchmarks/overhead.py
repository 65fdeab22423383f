"""What a whole `initcheck TARGET` costs against a plain script that imports torch, builds the model and runs one forward and backward.

    python -m benchmarks.overhead [--rounds 5] [mlp] [resnet18] [gpt2]

Both are whole processes (children included), run in turn; the ratio of the medians of their CPU seconds is printed.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PLAIN = {
    "mlp": """
import torch
from torch import nn
model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
x = torch.randn(32, 784)
""",
    "resnet18": """
import torch
import torchvision
model = torchvision.models.resnet18(weights=None)
x = torch.randn(32, 3, 64, 64)
""",
    "gpt2": """
import torch
from transformers import GPT2Config, GPT2LMHeadModel
model = GPT2LMHeadModel(GPT2Config())
x = torch.randint(0, 50257, (8, 16))
""",
}
MODEL_ONLY = {name: "\n".join(line for line in text.splitlines() if not line.startswith("x = ")) for name, text in PLAIN.items()}
RUN = """
model.train()
out = model(x)
out = out.logits if hasattr(out, "logits") else out
torch.autograd.backward(out, torch.randn_like(out))
"""


def cpu_seconds(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} exited with {done.returncode}\n{done.stdout}{done.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=list(PLAIN))
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print("| model | plain script, CPU s | initcheck, CPU s | ratio |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for name in options.models:
            script, target = Path(folder, f"plain_{name}.py"), Path(folder, f"{name}.py")
            script.write_text(PLAIN[name] + RUN, encoding="utf-8")
            target.write_text(MODEL_ONLY[name], encoding="utf-8")
            commands = [sys.executable, str(script)], [sys.executable, "-m", "initcheck", str(target)]
            times = [[cpu_seconds(command) for command in commands] for _ in range(options.rounds + 1)][1:]
            plain, ours = (statistics.median(column) for column in zip(*times, strict=True))
            print(f"| {name} | {plain:.2f} | {ours:.2f} | {ours / plain:.3f} |", flush=True)


if __name__ == "__main__":
    main()
