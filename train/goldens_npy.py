"""Writes the .npy files that package internal/npy is held to.

    python3 train/goldens_npy.py internal/npy/testdata
"""
import sys

import numpy as np

folder = sys.argv[1]
for rows, cols in (0, 5), (3, 4), (257, 1):
    values = np.arange(rows * cols, dtype="<f4") - np.float32(5)
    np.save(f"{folder}/{rows}x{cols}.npy", (values / np.float32(7)).reshape(rows, cols))
