"""Images of an exported generator by ONNX Runtime: onnx_forward.py MODEL.onnx LATENTS IMAGES"""

import sys

import onnxruntime

import tensors

model, latents, images = sys.argv[1:]
latents = tensors.read(latents)
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
inputs = {"z": latents["z"], "class_weights": latents["class_vector"]}
tensors.write(images, {"image": session.run(["image"], inputs)[0]})
