"""A generator's pass by PyTorch, eager: speed_torch.py MODEL.onnx LATENTS IMAGES THREADS nchw|nhwc

The nodes of the exported graph, one after another, so that weights and arithmetic are those of the other programs.
"""

import sys

import numpy
import onnx
import torch
import torch.nn.functional as F

import player
import tensors

model, latents, images, threads, layout = sys.argv[1:]
torch.set_num_threads(int(threads))
FORMAT = torch.channels_last if layout == "nhwc" else torch.contiguous_format


def arranged(tensor):
    return tensor.contiguous(memory_format=FORMAT) if tensor.dim() == 4 else tensor


def conv(x, weight, bias=None, pads=(0, 0, 0, 0), **_):
    return F.conv2d(x, weight, bias, padding=pads[:2])


def gemm(x, weight, bias=None, transB=0):
    return F.linear(x, weight if transB else weight.T, bias)


def clip(x, low, high):
    return x.clamp(low.item(), high.item())


def slices(x, first, last, axes):
    for axis, start, end in zip(axes.tolist(), first.tolist(), last.tolist()):
        x = x.narrow(axis, start, end - start)
    return x


OPERATORS = {
    "Add": lambda a, b: a + b,
    "Clip": clip,
    "Concat": lambda *parts, axis: torch.cat(parts, axis),
    "Conv": conv,
    "Gemm": gemm,
    "MatMul": torch.matmul,
    "MaxPool": lambda x, kernel_shape, **_: F.max_pool2d(x, kernel_shape),
    "Mul": lambda a, b: a * b,
    "Relu": F.relu,
    "Reshape": lambda x, shape: x.reshape([x.shape[0]] + shape.tolist()[1:]),
    "Resize": lambda x, _roi, scales, **_k: F.interpolate(x, scale_factor=scales.tolist()[2:]),
    "Slice": slices,
    "Softmax": lambda x, axis: F.softmax(x, axis),
    "Split": lambda x, lengths, axis: x.split(lengths.tolist(), axis),
    "Tanh": torch.tanh,
    "Transpose": lambda x, perm: x.permute(perm),
    "Unsqueeze": lambda x, axes: x[(...,) + (None,) * len(axes)],
}

before = player.now()
graph = onnx.load(model).graph
constants = {
    tensor.name: arranged(torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy()))
    for tensor in graph.initializer
}
nodes = [
    (
        OPERATORS[node.op_type],
        list(node.input),
        {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute},
        list(node.output),
    )
    for node in graph.node
]
# a value is let go after its last use, as in any other program
LAST = {name: index for index, (_, inputs, _, _) in enumerate(nodes) for name in inputs}
del graph
inputs = {name: torch.from_numpy(value.copy()) for name, value in tensors.latents(latents).items()}


@torch.inference_mode()
def work():
    values = dict(inputs)
    for index, (operator, names, attributes, outputs) in enumerate(nodes):
        found = [constants[n] if n in constants else values[n] if n else None for n in names]
        result = operator(*found, **attributes)
        values.update(zip(outputs, [result] if torch.is_tensor(result) else result))
        for name in names:
            if LAST[name] == index:
                values.pop(name, None)
    return numpy.ascontiguousarray(values["image"].numpy())


tensors.write(images, {"image": work()})
player.play(before, work)
