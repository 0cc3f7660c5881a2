"""Runs Seedge and its peers side by side and prints their times and ratios.

    python run.py MODELS SERVER [--threads 1,2] [--rounds 12] [--iterations 25] [--wait]

MODELS is the folder that make.py filled, SERVER the program of ./server. Every
contender is a process of its own with a model, a number of threads and a setting;
all are loaded and warmed up, then rounds go from one to the next, so that whatever
else the machine does meets all alike. Only one computes at a time. --wait stops
before the rounds until Enter, for whoever wants to quieten the machine.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

WARMUP = 20

NO_AMX = {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE_VNNI"}

# runtime, setting, model, arguments of worker.py, environment
CONTENDERS = [
    ("Seedge", "int8", "seedge.int8.safetensors", {}, {}),
    ("Seedge", "int8, SEEDGE_ISA=avx2", "seedge.int8.safetensors", {}, {"SEEDGE_ISA": "avx2"}),
    ("OpenVINO", "int8 (mixed)", "openvino.mixed.xml", {}, {}),
    ("OpenVINO", "int8 (performance)", "openvino.performance.xml", {}, {}),
    ("OpenVINO", "int8 (performance), not pinned", "openvino.performance.xml", {"pin": "no"}, {}),
    ("OpenVINO", "int8 (performance), without AMX", "openvino.performance.xml", {}, NO_AMX),
    ("OpenVINO", "bf16", "openvino.float.xml", {"precision": "bf16"}, {}),
    ("OpenVINO", "fp32", "openvino.float.xml", {"precision": "f32"}, {}),
    ("ONNX Runtime", "int8 (QDQ)", "onnxruntime.qdq.onnx", {}, {}),
    ("ONNX Runtime", "int8 (QOperator)", "onnxruntime.qoperator.onnx", {}, {}),
    ("ONNX Runtime", "fp32", "onnxruntime.float.onnx", {}, {}),
    ("LiteRT", "int8", "litert.int8.tflite", {}, {}),
    ("LiteRT", "fp32", "litert.float.tflite", {}, {}),
    ("ncnn", "bf16", "ncnn.ncnn", {"storage": "bf16"}, {}),
    ("ncnn", "fp16", "ncnn.ncnn", {"storage": "fp16"}, {}),
    ("ncnn", "fp32", "ncnn.ncnn", {"storage": "fp32"}, {}),
    ("OpenCV DNN", "fp32", "float.onnx", {}, {}),
]


class Contender:
    def __init__(self, runtime, setting, model, arguments, environment, threads, models, server):
        self.runtime, self.setting, self.threads, self.times, self.failure = runtime, setting, threads, [], None
        if runtime == "Seedge":
            command = [server, models / model, str(threads)]
        else:
            worker = pathlib.Path(__file__).with_name("worker.py")
            command = [sys.executable, worker, runtime, models / model, str(threads)] + [f"{k}={v}" for k, v in arguments.items()]
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), **environment}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, env=environment)

    def start(self):
        while line := self.process.stdout.readline():
            if line.startswith("ready "):
                self.version = line.split()[-1].split("-")[0]
                self.run(WARMUP)
                return
        self.failure = self.process.stderr.read().strip().splitlines()[-1:] or ["ended without a word"]

    def run(self, times):
        self.process.stdin.write(f"{times}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        while line and not line.startswith("["):  # some runtimes print
            line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.runtime} {self.setting} died: {self.process.stderr.read()}")
        return json.loads(line)

    def summary(self):
        ms = sorted(t / 1e6 for t in self.times)
        return {"runtime": self.runtime, "version": self.version, "setting": self.setting, "threads": self.threads, "runs": len(ms),
                "min_ms": ms[0], "median_ms": statistics.median(ms), "p99_ms": ms[int(0.99 * (len(ms) - 1))]}


def cpu():
    try:
        for line in open("/proc/cpuinfo"):
            if line.startswith("model name"):
                return line.split(":")[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def table(results, threads):
    rows = sorted((r for r in results if r["threads"] == threads), key=lambda r: r["min_ms"])
    peers = [r for r in rows if r["runtime"] != "Seedge"]
    print(f"\n{threads} thread{'s' * (threads > 1)}:\n")
    print("| runtime | version | setting | min ms | median | p99 | Seedge is faster by (min) | (median) |")
    print("|---|---|---|---|---|---|---|---|")
    seedge = next(r for r in rows if r["runtime"] == "Seedge" and r["setting"] == "int8")
    for r in rows:
        ratios = "| | " if r["runtime"] == "Seedge" else f"| {r['min_ms'] / seedge['min_ms']:.2f} | {r['median_ms'] / seedge['median_ms']:.2f} "
        print(f"| {r['runtime']} | {r['version']} | {r['setting']} | {r['min_ms']:.3f} | {r['median_ms']:.3f} | {r['p99_ms']:.3f} {ratios}|")
    if peers:
        best = peers[0]
        print(f"\nBest peer: {best['runtime']} {best['setting']}; Seedge takes {seedge['min_ms']:.3f} ms, the peer {best['min_ms']:.3f} ms: "
              f"{best['min_ms'] / seedge['min_ms']:.2f} times as fast. By medians, against the peer with the best: "
              f"{min(p['median_ms'] for p in peers) / seedge['median_ms']:.2f}.")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("models", type=pathlib.Path)
    p.add_argument("server")
    p.add_argument("--threads", default="1,2", type=lambda s: [int(n) for n in s.split(",")])
    p.add_argument("--rounds", default=12, type=int)
    p.add_argument("--iterations", default=25, type=int)
    p.add_argument("--wait", action="store_true")
    p.add_argument("--json", type=pathlib.Path)
    a = p.parse_args()

    for n in [n for n in a.threads if n > (os.cpu_count() or 1)]:
        print(f"{n} threads left out: there are {os.cpu_count()} CPUs", file=sys.stderr)
        a.threads.remove(n)
    contenders = []
    for threads in a.threads:
        for c in CONTENDERS:
            contenders.append(Contender(*c, threads, a.models, a.server))
            contenders[-1].start()
    for c in contenders:
        if c.failure:
            print(f"not measured: {c.runtime} {c.setting}, {c.threads} threads: {c.failure[0]}", file=sys.stderr)
    ready = [c for c in contenders if not c.failure]
    if a.wait:
        print("loaded; Enter to measure", file=sys.stderr, flush=True)
        sys.stdin.readline()
    for _ in range(a.rounds):
        for c in ready:
            c.run(3)  # the caches hold another's weights
            c.times += c.run(a.iterations)
            time.sleep(0.005)  # for threads that go on spinning
    for c in contenders:
        c.process.stdin.close()
    results = [c.summary() for c in ready]
    print(f"MobileNetV3-Large, 224 px, batch 1, {cpu()}, {os.cpu_count()} CPUs, {a.rounds} rounds of {a.iterations}")
    for n in a.threads:
        table(results, n)
    if a.json:
        a.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
