"""Writes trained weights as the committed float weights: a safetensors state
dict in half precision with torchvision's names.

    python export.py run/mobilenet_v3_large-cifar10.pth ../models/mobilenet_v3_large-cifar10.safetensors
"""
import os
import sys

import torch
from safetensors.torch import save_file

source, target = sys.argv[1:]
weights = torch.load(source, weights_only=True)
half = {k: v.half().contiguous() for k, v in weights.items() if v.dtype.is_floating_point}
for name, t in half.items():
    assert torch.isfinite(t).all(), f"{name} does not fit half precision"
save_file(half, target + ".tmp")
os.replace(target + ".tmp", target)
