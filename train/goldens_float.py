"""Write the small files that Go's float32 reference is held to.

    python3 train/goldens_float.py

Needs torch and torchvision; Debian's python3-torch and python3-torchvision do.
Writes nn/testdata/torch.json and mobilenetv3/testdata/torchvision.json and
*.safetensors. Running it again with the same versions gives the same bytes.

Weights and images are not stored: both sides compute them from a seed and a name
(values() below is Values of internal/golden). What is stored of a network:

- the running statistics of its batch norms, measured on a few images and then
  perturbed, so that activations stay of order one through all blocks and no norm
  is exact for the image in the test;
- of the output of every block, 256 elements at places computed from the block's
  name, and the mean, the Euclidean norm and the largest magnitude of the whole;
- the logits.
"""

import json
import os
import struct

import numpy as np
import torch
import torch.nn.functional as F
from torchvision.models import mobilenet_v3_large, mobilenet_v3_small
from torchvision.models.mobilenetv3 import MobileNetV3, _mobilenet_v3_conf
from torchvision.ops.misc import SqueezeExcitation

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
SEED = 20190506
SAMPLE = 256


def bits(seed, name, n):
    """splitmix64 from a start that depends on seed and name."""
    k = 0xCBF29CE484222325
    for b in name.encode():
        k = ((k ^ b) * 0x100000001B3) % 2**64
    x = np.uint64(k ^ seed) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def values(name, shape, seed=SEED):
    """Uniform in [-1, 1), exact in float32."""
    n = int(np.prod(shape))
    return ((bits(seed, name, n) >> np.uint64(40)).astype(np.float32) / np.float32(2**23) - np.float32(1)).reshape(shape)


def image(name, height, width):
    """A board of 8x8 colours, with noise; [1][3][height][width]."""
    y, x = np.arange(height) * 8 // height, np.arange(width) * 8 // width
    coarse = values(name + ".coarse", (8, 8, 3))[y][:, x]
    fine = values(name + ".fine", (height, width, 3))
    hwc = np.float32(1.5) * coarse + np.float32(0.5) * fine
    return torch.from_numpy(hwc.transpose(2, 0, 1)[None].copy())


def weight(name, shape):
    """The parameter of that torchvision name: fan-in scaled, variance 2/fan-in;
    a norm's factor around 1 and its offset around 0."""
    v = values(name, shape)
    if len(shape) > 1:
        return v * np.float32(np.sqrt(6 / np.prod(shape[1:])))
    if name.endswith(".weight"):
        return np.float32(1) + np.float32(0.25) * v
    return np.float32(0.25) * v


def fill(model):
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(torch.from_numpy(weight(name, tuple(p.shape))))


def calibrate(model, size=128, images=8):
    """Give each batch norm, in turn, the statistics of what arrives at it for a
    few images, moved a little; the norms behind it see what it makes of them."""
    stats = {}

    def measure(name, m, x):
        var, mean = torch.var_mean(x.double(), (0, 2, 3), unbiased=False)
        shift, stretch = (torch.from_numpy(values(name + of, (m.num_features,))) for of in (".running_mean", ".running_var"))
        # A channel that is all but dead is no realistic one. Half precision is
        # plenty for a number that both sides read from the same file.
        m.running_mean.copy_((mean + 0.2 * var.sqrt() * shift).half())
        m.running_var.copy_((var * (1 + 0.3 * stretch)).clamp(min=0.05).half())
        stats[name + ".running_mean"] = m.running_mean.half().numpy()
        stats[name + ".running_var"] = m.running_var.half().numpy()

    hooks = [m.register_forward_pre_hook(lambda m, x, n=n: measure(n, m, x[0]))
             for n, m in model.named_modules() if isinstance(m, torch.nn.BatchNorm2d)]
    model.eval()
    with torch.no_grad():
        model.features(torch.cat([image(f"calibration{i}", size, size) for i in range(images)]))
    for h in hooks:
        h.remove()
    return stats


def run(model, height, width):
    """Outputs by the name of the part of the network that they come from."""
    out = {}
    hooks = [m.register_forward_hook(lambda _m, _i, o, n=n: out.__setitem__(n, o))
             for n, m in [(f"features.{i}", m) for i, m in enumerate(model.features)]
             + [("avgpool", model.avgpool), ("classifier.1", model.classifier[1]), ("classifier.3", model.classifier[3])]]
    model.eval()
    with torch.no_grad():
        model(image("image", height, width))
    for h in hooks:
        h.remove()
    return {n: o.clone() for n, o in out.items()}


def goldens(model, cases, folder, file):
    """cases: (label, model with the same weights, height, width)."""
    fill(model)
    tensors = calibrate(model)
    for label, other, height, width in cases:
        if other is not model:
            other.load_state_dict(model.state_dict())
        for name, o in run(other, height, width).items():
            flat = o.flatten().numpy()
            places = bits(SEED, name + ".sample", SAMPLE) % np.uint64(flat.size)
            key = f"{label}.{name}"
            tensors[key + ".sample"] = flat if name == "classifier.3" else flat[places.astype(np.int64)]
            wide = flat.astype(np.float64)
            tensors[key + ".stats"] = np.array([wide.mean(), np.sqrt((wide**2).sum()), np.abs(wide).max()], np.float32)
            print(f"{key:32} {str(tuple(o.shape[1:])):16} rms {np.sqrt((wide**2).mean()):8.4f} max {np.abs(wide).max():9.3f}")
    write_safetensors(os.path.join(folder, file), tensors)


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, a in sorted(tensors.items()):
        raw = np.ascontiguousarray(a).tobytes()
        header[name] = {"dtype": {"float16": "F16", "float32": "F32"}[str(a.dtype)], "shape": list(a.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def cost(model):
    """Learned parameters, and multiply-accumulates for one image of 224x224."""
    macs = 0

    def count(m, _inputs, out):
        nonlocal macs
        macs += out.numel() * m.weight[0].numel()

    for m in model.modules():
        if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear)):
            m.register_forward_hook(count)
    with torch.no_grad():
        model.eval()(torch.zeros(1, 3, 224, 224))
    return {"params": sum(p.numel() for p in model.parameters()), "macs": macs}


def without_se(arch):
    conf, last = _mobilenet_v3_conf(arch)
    for c in conf:
        c.use_se = False
    return MobileNetV3(conf, last)


def write_mobilenetv3():
    out = os.path.join(ROOT, "mobilenetv3", "testdata")
    os.makedirs(out, exist_ok=True)
    build = {"mobilenet_v3_large": mobilenet_v3_large, "mobilenet_v3_small": mobilenet_v3_small}

    facts = {"costs": [], "tensors": {}}
    for arch, make in build.items():
        for width in (0.35, 0.5, 0.75, 1.0, 1.25, 1.5):
            facts["costs"].append({"arch": arch, "width": width, **cost(make(width_mult=width))})
        facts["costs"].append({"arch": arch, "width": 1.0, "dilated": True, **cost(make(dilated=True))})
        models = {arch: make(num_classes=10), arch + "/half": make(num_classes=10, width_mult=0.5),
                  arch + "/no_se": without_se(arch), arch + "/dilated": make(dilated=True)}
        for label, m in models.items():
            facts["tensors"][label] = {n: list(t.shape) for n, t in m.state_dict().items()}
    write_json(os.path.join(out, "torchvision.json"), facts)

    for arch, make in build.items():
        model = make()
        # An odd size meets its padding elsewhere than a multiple of 32 does.
        cases = [("64", model, 64, 64), ("224", model, 224, 224), ("75x50", model, 75, 50)]
        if arch == "mobilenet_v3_large":
            cases.append(("dilated", make(dilated=True), 64, 64))
        goldens(model, cases, out, arch + ".safetensors")
    half = mobilenet_v3_large(width_mult=0.5)
    goldens(half, [("64", half, 64, 64)], out, "mobilenet_v3_large_half.safetensors")


def write_nn():
    """Single layers. in and out are [C][H][W]; weights have PyTorch's order."""
    out = os.path.join(ROOT, "nn", "testdata")
    os.makedirs(out, exist_ok=True)
    convs = []
    for name, cin, h, w, cout, kernel, stride, dilation, groups, pad, bias in [
        # name, in, H, W, out, kernel, stride, dilation, groups, padding (top left bottom right), bias
        ("pointwise", 6, 5, 4, 7, (1, 1), (1, 1), (1, 1), 1, (0, 0, 0, 0), True),
        ("pointwise stride 2", 4, 5, 6, 5, (1, 1), (2, 2), (1, 1), 1, (0, 0, 0, 0), False),
        ("dense 3x3 stride 2", 3, 9, 8, 5, (3, 3), (2, 2), (1, 1), 1, (1, 1, 1, 1), True),
        ("same padding at stride 2", 3, 8, 8, 4, (3, 3), (2, 2), (1, 1), 1, (0, 0, 1, 1), True),
        ("four different sides", 2, 6, 7, 3, (3, 3), (1, 1), (1, 1), 1, (2, 1, 0, 3), False),
        ("uneven kernel and stride", 2, 9, 7, 3, (2, 5), (3, 2), (1, 1), 1, (1, 2, 0, 2), True),
        ("grouped", 6, 5, 5, 9, (3, 3), (1, 1), (1, 1), 3, (1, 1, 1, 1), True),
        ("grouped dilated", 4, 9, 8, 6, (3, 3), (2, 1), (2, 2), 2, (2, 2, 2, 2), False),
        ("depthwise 3x3", 5, 6, 6, 5, (3, 3), (1, 1), (1, 1), 5, (1, 1, 1, 1), False),
        ("depthwise 5x5 stride 2", 5, 9, 8, 5, (5, 5), (2, 2), (1, 1), 5, (2, 2, 2, 2), True),
        ("depthwise dilated 2", 4, 7, 7, 4, (5, 5), (1, 1), (2, 2), 4, (4, 4, 4, 4), False),
        ("depthwise four sides dilated unevenly", 3, 8, 9, 3, (3, 3), (2, 2), (1, 2), 3, (0, 1, 1, 4), True),
        ("depthwise, two outputs a channel", 3, 6, 5, 6, (3, 3), (1, 1), (1, 1), 3, (1, 1, 1, 1), True),
        ("padding beyond the kernel", 2, 3, 3, 2, (3, 3), (2, 2), (1, 1), 2, (4, 3, 4, 3), False),
    ]:
        x = torch.from_numpy(values(name + ".in", (1, cin, h, w)))
        k = torch.from_numpy(values(name + ".weight", (cout, cin // groups) + kernel))
        b = torch.from_numpy(values(name + ".bias", (cout,))) if bias else None
        top, left, bottom, right = pad
        y = F.conv2d(F.pad(x, (left, right, top, bottom)), k, b, stride, 0, dilation, groups)
        convs.append({
            "name": name, "input": {"h": h, "w": w, "c": cin}, "output": {"h": y.shape[2], "w": y.shape[3], "c": cout},
            "op": {"in": cin, "out": cout, "kernel_h": kernel[0], "kernel_w": kernel[1], "stride_h": stride[0], "stride_w": stride[1],
                   "dilation_h": dilation[0], "dilation_w": dilation[1], "groups": groups, "bias": bias,
                   "padding": {"top": top, "left": left, "bottom": bottom, "right": right}},
            "want": floats(y)})

    gates = {"hard_sigmoid": torch.nn.Hardsigmoid, "sigmoid": torch.nn.Sigmoid}
    inners = {"relu": torch.nn.ReLU, "hard_swish": torch.nn.Hardswish}
    ses = []
    for c, squeezed, h, w, inner, gate in [
        (16, 8, 5, 7, "relu", "hard_sigmoid"), (24, 3, 4, 4, "relu", "sigmoid"), (5, 16, 1, 1, "hard_swish", "hard_sigmoid"),
    ]:
        name = f"{inner} {gate}"
        m = SqueezeExcitation(c, squeezed, inners[inner], gates[gate])
        with torch.no_grad():
            for n, p in m.named_parameters():
                # Large enough that gates reach both ends of the hard-sigmoid.
                p.copy_(torch.from_numpy(np.float32(4) * values(f"{name}.{n}", tuple(p.shape))))
            y = m(torch.from_numpy(values(name + ".in", (1, c, h, w))))
        ses.append({"name": name, "input": {"h": h, "w": w, "c": c},
                    "op": {"c": c, "squeezed": squeezed, "inner": inner, "gate": gate}, "want": floats(y)})

    bn = torch.nn.BatchNorm2d(5, eps=0.001).eval()
    with torch.no_grad():
        for n, p in [("weight", bn.weight), ("bias", bn.bias), ("running_mean", bn.running_mean), ("running_var", bn.running_var)]:
            v = values("bn." + n, (5,))
            p.copy_(torch.from_numpy(np.abs(v) if n == "running_var" else v))
        norm = floats(bn(torch.from_numpy(values("bn.in", (1, 5, 3, 4)))))
        linear = floats(F.linear(*[torch.from_numpy(values("linear." + n, s)) for n, s in
                                   [("in", (1, 11)), ("weight", (6, 11)), ("bias", (6,))]]))
        x = torch.arange(-64, 65, dtype=torch.float32) / 8
        functions = {n: floats(f(x)) for n, f in [
            ("identity", torch.nn.Identity()), ("relu", F.relu), ("relu6", F.relu6), ("hard_swish", F.hardswish),
            ("hard_sigmoid", F.hardsigmoid), ("sigmoid", torch.sigmoid)]}
        softmax = floats(torch.softmax(torch.from_numpy(np.float32(20) * values("softmax.in", (9,))), 0))
    write_json(os.path.join(out, "torch.json"), {
        "conv2d": convs, "squeeze_excite": ses, "batch_norm": norm, "linear": linear, "functions": functions, "softmax": softmax})


def floats(t):
    """Nine digits give a float32 back to the bit."""
    return [float(f"{v:.9g}") for v in t.flatten().tolist()]


def write_json(path, value):
    """One entry of each list or table a line, so that diffs can be read."""
    parts = []
    for key, v in value.items():
        if isinstance(v, list) and v and isinstance(v[0], dict):
            parts.append(f"{json.dumps(key)}: [\n  " + ",\n  ".join(json.dumps(x) for x in v) + "\n ]")
        elif isinstance(v, dict):
            parts.append(f"{json.dumps(key)}: {{\n  " + ",\n  ".join(f"{json.dumps(k)}: {json.dumps(x)}" for k, x in v.items()) + "\n }")
        else:
            parts.append(f"{json.dumps(key)}: {json.dumps(v)}")
    with open(path, "w") as f:
        f.write("{\n " + ",\n ".join(parts) + "\n}\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    write_nn()
    write_mobilenetv3()
