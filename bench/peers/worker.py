"""One runtime with one model, in a process of its own.

    python worker.py RUNTIME MODEL THREADS [KEY=VALUE...]

For every line with a number on standard input it runs that many inferences, from an
input that is in place to the logits, and answers with their times in nanoseconds as
a line of JSON. It says "ready RUNTIME VERSION" first.
"""

import json
import sys
import time

import numpy


def openvino(model, threads, precision=None, pin="yes"):
    import openvino

    config = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY", "ENABLE_CPU_PINNING": pin == "yes"}
    if precision:
        config["INFERENCE_PRECISION_HINT"] = precision
    request = openvino.Core().compile_model(model, "CPU", config).create_infer_request()
    request.set_input_tensor(openvino.Tensor(image()))
    return request.infer, openvino.__version__


def onnxruntime(model, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    binding.bind_cpu_input(session.get_inputs()[0].name, image())
    binding.bind_output(session.get_outputs()[0].name)
    return lambda: session.run_with_iobinding(binding), onnxruntime.__version__


def litert(model, threads):
    import importlib.metadata

    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model, num_threads=threads)  # with XNNPACK, its default
    interpreter.allocate_tensors()
    entry = interpreter.get_input_details()[0]
    pixels = image().transpose(0, 2, 3, 1)
    if entry["dtype"] == numpy.int8:
        scale, zero = entry["quantization"]
        pixels = numpy.clip(numpy.round(pixels / scale) + zero, -128, 127)
    interpreter.set_tensor(entry["index"], pixels.astype(entry["dtype"]))
    return interpreter.invoke, importlib.metadata.version("ai-edge-litert")


def ncnn(model, threads, storage="fp32"):
    import ncnn

    net = ncnn.Net()
    net.opt.num_threads = threads
    net.opt.use_bf16_storage = storage == "bf16"
    half = storage == "fp16"
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = half
    net.load_param(model + ".param")
    net.load_model(model + ".bin")
    pixels = ncnn.Mat(image()[0]).clone()

    def run():
        extractor = net.create_extractor()
        extractor.input("in0", pixels)
        code, logits = extractor.extract("out0")
        assert code == 0 and logits.w == 1000, f"ncnn: code {code}, {logits.w} outputs"

    return run, ncnn.__version__


def opencv(model, threads):
    import cv2

    cv2.setNumThreads(threads)
    net = cv2.dnn.readNetFromONNX(model)
    pixels = image()

    def run():
        net.setInput(pixels)
        assert net.forward().size == 1000

    return run, cv2.__version__


def image():
    return numpy.random.default_rng(0).normal(0, 1, (1, 3, 224, 224)).astype(numpy.float32)


def main():
    name, model, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    settings = dict(s.split("=") for s in sys.argv[4:])
    runtimes = {"OpenVINO": openvino, "ONNX Runtime": onnxruntime, "LiteRT": litert, "ncnn": ncnn, "OpenCV DNN": opencv}
    run, version = runtimes[name](model, threads, **settings)
    print("ready", name, version, flush=True)
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            before = time.perf_counter_ns()
            run()
            times.append(time.perf_counter_ns() - before)
        print(json.dumps(times), flush=True)


if __name__ == "__main__":
    main()
