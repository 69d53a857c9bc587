"""Images of an exported generator by ONNX Runtime: onnx_forward.py MODEL.onnx LATENTS IMAGES [THREADS]

They are written to IMAGES; then it plays (player.py).
"""

import sys

import onnxruntime

import player
import tensors

model, latents, images, *threads = sys.argv[1:]
before = player.now()
options = onnxruntime.SessionOptions()
if threads:
    options.intra_op_num_threads = int(threads[0])
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
inputs = tensors.latents(latents)


def work():
    return session.run(["image"], inputs)[0]


tensors.write(images, {"image": work()})
player.play(before, work)
