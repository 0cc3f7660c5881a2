"""Write the small files that the Go readers of checkpoints are held to.

    python goldens_checkpoint.py safetensors   # needs numpy, safetensors 0.8
    python goldens_checkpoint.py torch         # needs torch, any version

`safetensors` writes internal/safetensors/testdata/python.safetensors and
plain.safetensors. `torch` writes internal/checkpoint/testdata/torch<version>/:
run it once with each torch whose files should be read (a current one and
Debian's), since torch.save has changed over the years.

Running it again gives the same bytes, save for legacy.pth: the older format names
storages by their address in memory.

Every half-precision or strided tensor X comes with X.want, the same values as
float32, contiguous, as Python sees them. The Go tests compare the two, so they
need no second source of truth.
"""

import argparse
import os
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "internal")


def write_safetensors():
    import numpy as np
    # The low-level call, because numpy itself has no bfloat16.
    from safetensors import TensorSpec, serialize

    out = os.path.join(ROOT, "safetensors", "testdata")
    os.makedirs(out, exist_ok=True)

    def pack(tensors):
        return {k: TensorSpec(dtype=t, shape=list(a.shape), data_ptr=a.ctypes.data, data_len=a.nbytes)
                for k, (t, a) in tensors.items()}

    # A seventh of all halves, subnormals included, without the NaNs.
    bits = np.arange(65536, dtype=np.uint16)
    half = bits.view(np.float16)
    half = np.ascontiguousarray(half[~np.isnan(half)][::7])
    rng = np.random.default_rng(1)
    f32 = rng.standard_normal((3, 4), dtype=np.float32)
    f64 = rng.standard_normal(5)
    # bfloat16 is the upper half of a float32.
    bf = (rng.standard_normal(6, dtype=np.float32).view(np.uint32) >> 16).astype(np.uint16)
    # Around the ties: what numpy rounds to half is what NewF16 must round to.
    src = np.concatenate([
        np.linspace(-70, 70, 501, dtype=np.float32),
        np.float32(2.0) ** np.arange(-27, 15, dtype=np.float32) * np.float32(1 + 1 / 2048),
        np.float32(2.0) ** np.arange(-27, 15, dtype=np.float32) * np.float32(1 + 3 / 2048),
        np.array([65503.99, 65519.99, -65519.99, 5.9e-8, 2.9e-8, 0, -0.0], np.float32),
    ])
    tensors = {
        "f16": ("float16", half), "f16.want": ("float32", half.astype(np.float32)),
        "f32": ("float32", f32),
        "f64": ("float64", f64), "f64.want": ("float32", f64.astype(np.float32)),
        "bf16": ("bfloat16", bf), "bf16.want": ("float32", (bf.astype(np.uint32) << 16).view(np.float32)),
        "round.src": ("float32", src), "round.want": ("float16", src.astype(np.float16)),
        "i8": ("int8", np.array([[-128, -1], [0, 127]], np.int8)),
        "i16": ("int16", np.array([-32768, 32767], np.int16)),
        "i32": ("int32", np.array([-2**31, -1, 2**31 - 1], np.int32)),
        "i64": ("int64", np.array([-2**63, 2**63 - 1], np.int64)),
        "u8": ("uint8", np.array([0, 255], np.uint8)),
        "bool": ("bool", np.array([True, False, True])),
        "scalar": ("float32", np.array(2.5, np.float32)),
        "empty": ("float32", np.zeros((0, 7), np.float32)),
        "näme \"quoted\" <&>\n": ("int8", np.array([1], np.int8)),
    }
    with open(os.path.join(out, "python.safetensors"), "wb") as f:
        f.write(serialize(pack(tensors), {"written_by": "python"}))
    # Without metadata the layout is fixed, and Encode must give these bytes.
    plain = {k: v for k, v in tensors.items() if not k.startswith(("f16", "round"))}
    with open(os.path.join(out, "plain.safetensors"), "wb") as f:
        f.write(serialize(pack(plain), None))


def write_torch():
    from collections import OrderedDict

    import torch

    version = ".".join(torch.__version__.split(".")[:2])
    out = os.path.join(ROOT, "checkpoint", "testdata", "torch" + version)
    os.makedirs(out, exist_ok=True)

    def save(name, obj, **kwargs):
        torch.save(obj, os.path.join(out, name), **kwargs)

    torch.manual_seed(1)
    net = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3), torch.nn.Flatten(), torch.nn.Linear(3, 2))
    # Values that Go can compute: element i of the k-th tensor is (7i + k) % 23 - 11, over 8.
    plain = net.state_dict()
    for k, v in enumerate(plain.values()):
        if v.is_floating_point():
            v.copy_(((7 * torch.arange(v.numel()) + k) % 23 - 11).reshape(v.shape) / 8)
    save("plain.pth", plain)
    save("legacy.pth", plain, _use_new_zipfile_serialization=False)
    save("protocol4.pth", plain, pickle_protocol=4)
    save("wrapped_state_dict.pth", {"epoch": 3, "loss": 0.5, "state_dict": plain})
    save("wrapped_model_state_dict.pth", {"model_state_dict": plain, "classes": ["a", "b"]})
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    save("wrapped_model.pth", {"model": plain, "optimizer": optimiser.state_dict(), "args": argparse.Namespace(lr=0.1)})
    save("dataparallel.pth", OrderedDict(("module." + k, v) for k, v in plain.items()))
    save("parameters.pth", dict(net.named_parameters()))
    save("whole_model.pth", net)
    save("tensor.pth", torch.zeros(3))

    base = torch.arange(48, dtype=torch.float32).reshape(2, 3, 4, 2) / 4
    views = OrderedDict([
        ("permuted", base.permute(2, 0, 3, 1)),
        ("channels_last", base.clone().contiguous(memory_format=torch.channels_last)),
        ("offset", base[1, 1:, 1:3]),
        ("step", base[:, :, ::2]),
        ("expanded", torch.tensor([[1.5], [-2.5]]).expand(2, 3)),
        ("scalar", torch.tensor(3.25)),
        ("empty", torch.zeros(0, 3)),
    ])
    save("strided.pth", OrderedDict(list(views.items()) + [(k + ".want", v.clone().contiguous()) for k, v in views.items()]))
    x = torch.randn(17)
    kinds = OrderedDict((n, x.to(d)) for n, d in [
        ("half", torch.float16), ("bfloat16", torch.bfloat16), ("double", torch.float64), ("float", torch.float32)])
    save("dtypes.pth", OrderedDict(list(kinds.items()) + [(k + ".want", v.float()) for k, v in kinds.items()]
                                   + [("ints." + str(d)[6:], torch.ones(2, dtype=d)) for d in
                                      (torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64, torch.bool)]))
    bad = OrderedDict([("good", torch.ones(2)), ("bad", torch.ones(2, 3))])
    bad["bad"][1, 2] = float("nan")
    save("nan.pth", bad)
    save("sparse.pth", {"s": torch.eye(2).to_sparse()})
    if hasattr(torch.serialization, "set_crc32_options"):
        torch.serialization.set_crc32_options(False)
        save("no_checksums.pth", plain)
        torch.serialization.set_crc32_options(True)
    torch.jit.save(torch.jit.script(net[3]), os.path.join(out, "torchscript.pt"))


if __name__ == "__main__":
    kinds = {"safetensors": write_safetensors, "torch": write_torch}
    if len(sys.argv) != 2 or sys.argv[1] not in kinds:
        sys.exit("usage: goldens_checkpoint.py safetensors|torch")
    kinds[sys.argv[1]]()
