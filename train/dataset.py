"""CIFAR-10 as two uint8 tensors, read once and cached.

The images come from a zip or a folder of `class/image` files (class names in
alphabetical order), or, with no path given, from torchvision's own download.
"""
import io
import os
import zipfile

import numpy as np
import torch
from PIL import Image

CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def _from_zip(path):
    archive = zipfile.ZipFile(path)
    names = sorted(n for n in archive.namelist() if n.lower().endswith((".jpg", ".png")))
    for name in names:
        yield name, archive.read(name)


def _from_folder(path):
    for folder, dirs, files in sorted(os.walk(path)):
        for name in sorted(files):
            full = os.path.join(folder, name)
            with open(full, "rb") as f:
                yield os.path.relpath(full, path), f.read()


def _from_torchvision(cache, train):
    from torchvision.datasets import CIFAR10

    data = CIFAR10(cache, train=train, download=True)
    return np.asarray(data.data), np.asarray(data.targets)


def load(source, cache, train):
    """Returns (images N x 3 x 32 x 32 uint8, labels N int64) of one split."""
    file = os.path.join(cache, f"cifar10-{'train' if train else 'test'}.npz")
    if not os.path.exists(file):
        os.makedirs(cache, exist_ok=True)
        if source is None:
            pixels, labels = _from_torchvision(cache, train)
        else:
            items = _from_zip(source) if os.path.isfile(source) else _from_folder(source)
            pixels, labels = [], []
            for name, data in items:
                labels.append(CLASSES.index(name.split("/")[-2]))
                pixels.append(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))
            pixels, labels = np.stack(pixels), np.asarray(labels)
        np.savez(file + ".tmp.npz", x=pixels, y=labels)
        os.replace(file + ".tmp.npz", file)
    data = np.load(file)
    return torch.from_numpy(data["x"]).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(data["y"].astype(np.int64))
