"""What TensorBoard reads in a directory of events, as JSON: scalars, images and histograms by tag, each [step, ...]."""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "images": 0, "histograms": 0})
events.Reload()
tags = events.Tags()
histograms = {tag: events.Histograms(tag) for tag in tags["histograms"]}
print(
    json.dumps(
        {
            "scalars": {tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in tags["scalars"]},
            "images": {
                tag: [[e.step, e.width, e.height, e.encoded_image_string[:8].hex()] for e in events.Images(tag)]
                for tag in tags["images"]
            },
            "histograms": {
                tag: [[e.step, e.histogram_value.num, sum(e.histogram_value.bucket)] for e in all]
                for tag, all in histograms.items()
            },
        }
    )
)
