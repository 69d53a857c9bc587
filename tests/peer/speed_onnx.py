"""A generator's pass by ONNX Runtime: speed_onnx.py MODEL.onnx LATENTS IMAGES THREADS"""

import sys

import onnxruntime

import player
import tensors

model, latents, images, threads = sys.argv[1:]
before = player.now()
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(threads)
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
inputs = tensors.read(latents)


def work():
    return session.run(["image"], inputs)[0]


tensors.write(images, {"image": work()})
player.play(before, work)
