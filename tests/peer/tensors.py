"""Tensors of safetensors files, f32 only, with numpy alone."""

import json

import numpy as np


def header_and_data(path):
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        return json.loads(file.read(length)), file.read()


def metadata(path):
    """The text values of a file by name."""
    return header_and_data(path)[0]["__metadata__"]


def read(path):
    """The tensors of a file by name."""
    header, data = header_and_data(path)
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        assert entry["dtype"] == "F32", f"{name} is {entry['dtype']}"
        first, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(data[first:end], "<f4").reshape(entry["shape"])
    return tensors


def write(path, tensors):
    """Writes tensors by name."""
    header, data = {}, b""
    for name, tensor in tensors.items():
        part = np.ascontiguousarray(tensor, "<f4").tobytes()
        shape, offsets = list(tensor.shape), [len(data), len(data) + len(part)]
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": offsets}
        data += part
    header = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(header).to_bytes(8, "little") + header + data)


def latents(path):
    """The inputs of an exported generator, from a file as `native-train sample --latents` reads."""
    tensors = read(path)
    return {"z": tensors["z"], "class_weights": tensors["class_vector"]}
