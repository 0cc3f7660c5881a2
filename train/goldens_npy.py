"""Writes the .npy files that package internal/npy is held to.

    python3 train/goldens_npy.py
"""
from pathlib import Path

import numpy as np

folder = Path(__file__).parent.parent / "internal/npy/testdata"
for rows, cols in (0, 5), (3, 4), (257, 1):
    values = np.arange(rows * cols, dtype="<f4") - np.float32(5)
    np.save(folder / f"{rows}x{cols}.npy", (values / np.float32(7)).reshape(rows, cols))
