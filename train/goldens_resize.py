#!/usr/bin/env python3
"""Writes the golden files of internal/preprocess.

The Go resampler promises the bytes of Pillow's Image.resize, and the whole
preprocessing the bytes of torchvision's Resize(int) + CenterCrop + ToTensor +
Normalize. This script asks those libraries for the answers:

    inputs/NAME.png     seeded pictures: gradients, discs, edges and noise
    resized/*.png       Image.resize of an input, any size, bilinear or bicubic
    pipeline/*.png      Resize(int) + CenterCrop of an input
    levels.f32          what ToTensor + Normalize make of every 8-bit level:
                        3 channels x 256 float32, little-endian
    exif/N.jpg          a picture of four flat quadrants, orientation N, as
                        stored; ImageOps.exif_transpose of it is in cases.json
    quadrants.webp      the same picture upright, without loss
    cases.json          what was done to what

Pillow must be older than 13: up to 12 it always resizes horizontally first,
which is what published weights were trained with and what the Go code does.
13.0 runs the vertical pass first for some shapes (images more than twice as
tall as wide, and resizes that mostly squash the height), which rounds
differently by a level or so; for all others the bytes are the same. Debian's
packages are right:

    apt-get install python3-pil python3-numpy python3-torch python3-torchvision
    python3 train/goldens_resize.py
"""

import json
import pathlib
import shutil

import numpy as np
import PIL
from PIL import Image, ImageOps
from torchvision import transforms
from torchvision.transforms import InterpolationMode

ROOT = pathlib.Path(__file__).resolve().parent.parent / "internal/preprocess/testdata"
PILLOW = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
TORCH = {"bilinear": InterpolationMode.BILINEAR, "bicubic": InterpolationMode.BICUBIC}
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]

# Width x height. Odd sizes, prime sizes, single rows and columns.
INPUTS = [
    (37, 53), (64, 48), (101, 77), (32, 32), (320, 241),
    (1, 1), (1, 97), (97, 1), (2, 3), (7, 640), (640, 7),
]

# Input, then width x height to resize to.
RESIZES = [
    ((37, 53), (37, 53)), ((37, 53), (18, 26)), ((37, 53), (75, 107)), ((37, 53), (37, 20)), ((37, 53), (20, 53)),
    ((64, 48), (32, 24)), ((64, 48), (128, 96)), ((64, 48), (1, 1)), ((64, 48), (63, 47)), ((64, 48), (65, 49)),
    ((101, 77), (64, 64)), ((101, 77), (3, 90)), ((101, 77), (140, 2)), ((101, 77), (50, 38)),
    ((32, 32), (64, 64)), ((32, 32), (73, 73)), ((32, 32), (16, 16)), ((32, 32), (96, 5)),
    ((320, 241), (64, 48)), ((320, 241), (113, 85)), ((320, 241), (7, 5)), ((320, 241), (20, 241)),
    ((1, 1), (9, 5)), ((1, 97), (3, 20)), ((1, 97), (1, 200)), ((97, 1), (20, 3)), ((97, 1), (200, 1)),
    ((2, 3), (40, 60)), ((2, 3), (1, 1)), ((7, 640), (5, 60)), ((7, 640), (14, 900)), ((640, 7), (60, 5)),
    ((1, 97), (1, 1)), ((640, 7), (1, 7)), ((7, 640), (7, 1)),
]

# Input, Resize(int) or 0 for none, then the crop's width x height.
PIPELINES = [
    ((37, 53), 73, (64, 64)), ((37, 53), 64, (64, 64)), ((37, 53), 37, (32, 32)),
    ((64, 48), 48, (48, 48)), ((64, 48), 47, (33, 40)), ((64, 48), 0, (48, 48)), ((64, 48), 0, (31, 45)),
    ((101, 77), 73, (64, 64)), ((101, 77), 64, (65, 63)), ((101, 77), 40, (64, 48)), ((101, 77), 40, (71, 73)),
    ((32, 32), 64, (64, 64)), ((32, 32), 32, (32, 32)), ((32, 32), 0, (45, 37)), ((32, 32), 0, (20, 45)),
    ((320, 241), 73, (64, 64)), ((320, 241), 128, (112, 112)), ((320, 241), 64, (96, 48)), ((320, 241), 255, (90, 70)),
    ((1, 1), 9, (7, 7)), ((1, 97), 4, (5, 8)), ((97, 1), 3, (8, 5)), ((2, 3), 25, (24, 23)),
    ((7, 640), 12, (12, 12)), ((640, 7), 5, (6, 6)), ((640, 7), 0, (9, 9)),
]


def picture(width, height, rng):
    """An image with what resampling can get wrong: slopes, edges at full
    contrast (bicubic overshoots there and must be clipped) and noise."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    u, v = x / max(width - 1, 1), y / max(height - 1, 1)
    out = np.stack([255 * u, 255 * v, 127 + 127 * np.sin(9 * u + 7 * v)], axis=-1)
    disc = (u - 0.6) ** 2 + (v - 0.4) ** 2 < 0.06
    out[disc] = [255, 255, 255]
    out[(u < 0.3) & (v > 0.7)] = [0, 0, 0]
    out += 6 * rng.standard_normal(out.shape) * (v > 0.5)[..., None]
    checker = ((x.astype(int) + y.astype(int)) % 2 == 0) & (u > 0.75) & (v > 0.75)
    out[checker] = [255, 0, 255]
    return Image.fromarray(np.clip(np.rint(out), 0, 255).astype(np.uint8), "RGB")


def name(size):
    return "%dx%d" % size


def main():
    if int(PIL.__version__.split(".")[0]) >= 13:
        raise SystemExit(f"goldens_resize: Pillow {PIL.__version__} may resize vertically first; "
                         "want one older than 13, for example Debian's python3-pil")
    for folder in ("inputs", "resized", "pipeline", "exif"):
        shutil.rmtree(ROOT / folder, ignore_errors=True)
        (ROOT / folder).mkdir(parents=True)

    rng = np.random.default_rng(3)
    images = {}
    for size in INPUTS:
        images[size] = picture(*size, rng)
        images[size].save(ROOT / "inputs" / (name(size) + ".png"), optimize=True)

    cases = {"resize": [], "pipeline": [], "exif": []}
    for size, to in RESIZES:
        for kind, filter_ in PILLOW.items():
            file = f"resized/{name(size)}-{name(to)}-{kind}.png"
            images[size].resize(to, filter_).save(ROOT / file, optimize=True)
            cases["resize"].append(
                {"input": name(size), "width": to[0], "height": to[1], "interpolation": kind, "want": file})

    for size, short, (width, height) in PIPELINES:
        for kind, mode in TORCH.items():
            steps = [transforms.Resize(short, mode)] if short else []
            steps.append(transforms.CenterCrop((height, width)))
            file = f"pipeline/{name(size)}-{short}-{width}x{height}-{kind}.png"
            transforms.Compose(steps)(images[size]).save(ROOT / file, optimize=True)
            cases["pipeline"].append(
                {"input": name(size), "resize": short, "width": width, "height": height,
                 "interpolation": kind, "want": file})

    ramp = Image.fromarray(np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2), "RGB")
    levels = transforms.Compose([transforms.ToTensor(), transforms.Normalize(MEAN, STD)])(ramp)
    levels.numpy().reshape(3, 256).astype("<f4").tofile(ROOT / "levels.f32")

    quadrants = Image.new("RGB", (48, 32))
    colours = [(220, 40, 40), (40, 200, 60), (50, 60, 220), (230, 220, 60)]
    for i, colour in enumerate(colours):
        quadrants.paste(colour, (24 * (i % 2), 16 * (i // 2), 24 * (i % 2) + 24, 16 * (i // 2) + 16))
    quadrants.save(ROOT / "quadrants.webp", lossless=True)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        file = f"exif/{orientation}.jpg"
        quadrants.save(ROOT / file, quality=95, subsampling=0, exif=exif.tobytes())
        with Image.open(ROOT / file) as stored:
            upright = ImageOps.exif_transpose(stored)
        w, h = upright.size
        centres = [(w // 4, h // 4), (3 * w // 4, h // 4), (w // 4, 3 * h // 4), (3 * w // 4, 3 * h // 4)]
        cases["exif"].append(
            {"file": file, "width": w, "height": h, "quadrants": [list(upright.getpixel(c)) for c in centres]})

    (ROOT / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()
