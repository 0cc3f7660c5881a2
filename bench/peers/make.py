"""Makes MobileNetV3-Large at 224 px for every runtime, from the same weights.

    python make.py OUT SEEDGE

OUT is the folder to fill, SEEDGE the seedge program. The weights are seeded random
numbers, since speed does not depend on them; the batch norms' statistics are those
of random images, so that activations are as large as a trained network's. Each
converter is the one that the runtime's own documentation names. What cannot be made
is listed with its reason in OUT/failed.json.
"""

import json
import os
import pathlib
import subprocess
import sys
import traceback

import numpy
import torch
import torchvision
from PIL import Image

SIZE = 224
CALIBRATION = 32  # images


def weights(out):
    torch.manual_seed(0)
    model = torchvision.models.mobilenet_v3_large(weights=None)
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for m in norms:
        m.reset_running_stats()
        m.momentum = None  # the average of all batches
    model.train()
    with torch.no_grad():
        model(torch.stack([image(i) for i in range(CALIBRATION)]))
    torch.save(model.state_dict(), out / "float.pth")
    return model.eval()


def pixels(seed):
    """A picture with large and small structure, uint8 HWC."""
    r = numpy.random.default_rng(seed)
    coarse = Image.fromarray(r.integers(0, 256, (8, 8, 3), dtype=numpy.uint8)).resize((SIZE, SIZE), Image.BICUBIC)
    noise = r.normal(0, 12, (SIZE, SIZE, 3))
    return numpy.clip(numpy.asarray(coarse) + noise, 0, 255).astype(numpy.uint8)


def image(seed):
    """The picture as the network takes it, float32 CHW."""
    x = torch.from_numpy(pixels(seed)).permute(2, 0, 1) / 255
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (x - mean[:, None, None]) / std[:, None, None]


def batches():
    return [image(i)[None].numpy() for i in range(CALIBRATION)]


def seedge(out, model, program):
    photos = out / "photos"
    photos.mkdir(exist_ok=True)
    for i in range(CALIBRATION):
        Image.fromarray(pixels(i)).save(photos / f"{i}.png")
    subprocess.run([program, "import", out / "float.pth", "-o", out / "seedge.float.safetensors"], check=True)
    subprocess.run([program, "quantise", out / "seedge.float.safetensors", "-o", out / "seedge.int8.safetensors", "--calibrate", photos], check=True)


def onnx(out, model, program):
    torch.onnx.export(model, (torch.zeros(1, 3, SIZE, SIZE),), out / "float.onnx", opset_version=17, dynamo=False,
                      input_names=["input"], output_names=["logits"])


def openvino(out, model, program):
    """int8 by NNCF, the model from convert_model: from ONNX the depthwise layers' fusions are worse."""
    import nncf
    import openvino

    m = openvino.convert_model(model, example_input=torch.zeros(1, 3, SIZE, SIZE), input=[1, 3, SIZE, SIZE])
    openvino.save_model(m, out / "openvino.float.xml", compress_to_fp16=False)
    for name, preset in [("mixed", nncf.QuantizationPreset.MIXED), ("performance", nncf.QuantizationPreset.PERFORMANCE)]:
        q = nncf.quantize(m, nncf.Dataset(batches()), preset=preset, subset_size=CALIBRATION)
        openvino.save_model(q, out / f"openvino.{name}.xml")


def onnxruntime(out, model, program):
    """int8 by ONNX Runtime's own quantiser, both of its formats."""
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(quantization.CalibrationDataReader):
        def __init__(self):
            self.images = iter(batches())

        def get_next(self):
            x = next(self.images, None)
            return None if x is None else {"input": x}

    quant_pre_process(out / "float.onnx", out / "onnxruntime.float.onnx")
    for name, form in [("qdq", quantization.QuantFormat.QDQ), ("qoperator", quantization.QuantFormat.QOperator)]:
        quantization.quantize_static(
            out / "onnxruntime.float.onnx", out / f"onnxruntime.{name}.onnx", Reader(), quant_format=form, per_channel=True,
            activation_type=quantization.QuantType.QUInt8, weight_type=quantization.QuantType.QInt8)


def litert(out, model, program):
    """From PyTorch by litert-torch; int8 by ai-edge-quantizer, weights and activations."""
    import litert_torch
    from ai_edge_quantizer import quantizer, recipe

    path = out / "litert.float.tflite"
    # Channels last at the border, as LiteRT computes; else it transposes the input.
    litert_torch.convert(litert_torch.to_channel_last_io(model, args=[0]), (torch.zeros(1, SIZE, SIZE, 3),)).export(str(path))
    q = quantizer.Quantizer(str(path), recipe.static_wi8_ai8())
    key, name = signature(path)
    data = {key: [{name: x.transpose(0, 2, 3, 1).copy()} for x in batches()]}
    result = q.quantize(q.calibrate(data))
    result.export_model(str(out / "litert.int8.tflite"), overwrite=True)


def signature(path):
    from ai_edge_litert.interpreter import Interpreter

    for key, s in Interpreter(str(path)).get_signature_list().items():
        return key, s["inputs"][0]
    raise ValueError(f"{path} has no signature")


def ncnn(out, model, program):
    """By pnnx. The wheel has no int8 converter; bf16 and fp16 are settings at run time."""
    import pnnx

    before = os.getcwd()
    os.chdir(out)  # it writes beside itself
    try:
        pnnx.export(model, "ncnn.pt", (torch.zeros(1, 3, SIZE, SIZE),), fp16=False)
    finally:
        os.chdir(before)


def main():
    out, program = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).absolute()
    out.mkdir(parents=True, exist_ok=True)
    model = weights(out)
    failed = {}
    for make in [seedge, onnx, openvino, onnxruntime, litert, ncnn]:
        print("making", make.__name__, flush=True)
        try:
            make(out, model, program)
        except Exception as e:  # one runtime that fails leaves the others to be measured
            traceback.print_exc()
            failed[make.__name__] = f"{type(e).__name__}: {e}"
    (out / "failed.json").write_text(json.dumps(failed, indent=1))
    if "seedge" in failed:
        sys.exit("no model for Seedge, nothing to compare")


if __name__ == "__main__":
    main()
