# SPDX-License-Identifier: MIT
"""One engine in a process of its own, with the protocol of harness.Child.

    worker.py ENGINE MODEL VARIANT BATCH THREADS INPUT OUTPUT

INPUT and OUTPUT are raw float32; the first run's logits are written to OUTPUT. Each adapter below returns a description of
the engine, and a function from the input array to the logits that does nothing but one inference. All use float32 if the
model does, and the given number of threads.
"""
import collections
import json
import os
import re
import sys
import tempfile
import time

import numpy as np


def counted(names):
    """["a", "b", "a"] -> "2 × a, 1 × b"."""
    return ", ".join(f"{n} × {name}" for name, n in collections.Counter(names).most_common())


def onnxruntime(model, _variant, batch, threads):
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_free_dimension_override_by_name("n", batch)
    # Its threads spin during a run, which is the default, but not after it.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return ({"version": ort.__version__, "library": ort.capi.onnxruntime_pybind11_state.__file__},
            lambda x: session.run(None, {"input": x})[0])


def mnn(model, _variant, batch, threads):
    import _mnncengine
    import MNN
    net = MNN.Interpreter(model)
    session = net.createSession({"backend": "CPU", "numThread": threads, "precision": "high"})
    source = net.getSessionInput(session)
    net.resizeTensor(source, (batch, 3, 224, 224))
    net.resizeSession(session)
    result = net.getSessionOutput(session)
    shape = result.getShape()
    logits = MNN.Tensor(shape, MNN.Halide_Type_Float, np.zeros(shape, np.float32),
                        MNN.Tensor_DimensionType_Caffe)

    def run(x):
        source.copyFrom(MNN.Tensor(x.shape, MNN.Halide_Type_Float, x, MNN.Tensor_DimensionType_Caffe))
        net.runSession(session)
        result.copyToHostTensor(logits)
        return np.array(logits.getNumpyData())
    return {"version": MNN.version(), "library": _mnncengine.__file__}, run


def ncnn(model, _variant, _batch, threads):
    import ncnn as engine
    engine.set_omp_num_threads(threads)
    net = engine.Net()
    net.opt.num_threads = threads
    net.opt.use_vulkan_compute = False
    for name in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage", "bf16_packed"):
        if hasattr(net.opt, "use_" + name):
            setattr(net.opt, "use_" + name, False)
    if net.load_param(model + ".param") != 0 or net.load_model(model + ".bin") != 0:
        sys.exit(f"{model}: ncnn cannot load it")

    def run(x):
        outputs = []
        # ncnn has no batches.
        for image in x:
            extractor = net.create_extractor()
            extractor.input("in0", engine.Mat(image))
            outputs.append(np.array(extractor.extract("out0")[1]))
        return np.stack(outputs)
    library = sys.modules["ncnn.ncnn"].__file__
    return {"version": engine.__version__, "library": library, "note": "a batch image by image"}, run


def openvino(model, _variant, batch, threads):
    import openvino as ov
    core = ov.Core()
    net = core.read_model(model)
    net.reshape([batch, 3, 224, 224])
    compiled = core.compile_model(net, "CPU", {
        "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32"})
    request = compiled.create_infer_request()
    kinds = [node.rt_info for node in compiled.get_runtime_model().get_ops()]
    value = lambda info, key: str(getattr(info[key], "value", info[key])) if key in info else ""
    kernels = counted(value(info, "primitiveType") for info in kinds
                      if value(info, "layerType") in ("Convolution", "FullyConnected"))

    def run(x):
        return next(iter(request.infer({0: x}, share_inputs=True).values()))
    return {"version": ov.__version__, "kernels": kernels}, run


def torch_net(model, variant, threads):
    import torch
    import torchvision
    torch.set_num_threads(threads)
    torch.set_grad_enabled(False)
    net = getattr(torchvision.models, variant)(weights=None).eval()
    net.load_state_dict(torch.load(model))
    return torch, net


def onednn_kernels(torch, run):
    """The kernels of one inference, as oneDNN lists them on the C standard output."""
    stdout = os.dup(1)
    with tempfile.TemporaryFile() as output:
        os.dup2(output.fileno(), 1)
        with torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON):
            run()
        os.dup2(stdout, 1)
        os.close(stdout)
        output.seek(0)
        lines = output.read().decode(errors="replace")
    ran = re.findall(r"exec,cpu,(convolution|inner_product|matmul),([^,]+),", lines)
    return counted(f"{what} {kernel}" for what, kernel in ran)


def torch_eager(model, variant, batch, threads):
    torch, net = torch_net(model, variant, threads)
    kernels = onednn_kernels(torch, lambda: net(torch.zeros(batch, 3, 224, 224)))
    return ({"version": torch.__version__, "kernels": kernels or "its own (no oneDNN)"},
            lambda x: net(torch.from_numpy(x)).numpy())


def torch_optimized(model, variant, batch, threads):
    torch, net = torch_net(model, variant, threads)
    blank = torch.zeros(batch, 3, 224, 224)
    net = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(net, blank)))
    kernels = onednn_kernels(torch, lambda: net(blank))
    return ({"version": torch.__version__, "kernels": kernels or "its own (no oneDNN)"},
            lambda x: net(torch.from_numpy(x)).numpy())


ADAPTERS = {"onnxruntime": onnxruntime, "onnxruntime-int8": onnxruntime, "openvino-int8": openvino, "mnn": mnn, "ncnn": ncnn, "openvino": openvino,
            "torch": torch_eager, "torch-optimized": torch_optimized}


def main():
    engine, model, variant, batch, threads, source, destination = sys.argv[1:]
    # The engines print messages on the standard output, which is reserved for the protocol.
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    x = np.fromfile(source, np.float32).reshape(int(batch), 3, 224, 224)
    about, run = ADAPTERS[engine](model, variant, int(batch), int(threads))
    print(json.dumps(about), file=replies)
    first = True
    for _ in sys.stdin:
        start = time.perf_counter_ns()
        logits = run(x)
        elapsed = time.perf_counter_ns() - start
        if first:
            np.ascontiguousarray(logits, np.float32).tofile(destination)
            first = False
        print(elapsed, file=replies)


if __name__ == "__main__":
    main()
