#!/usr/bin/env python3
"""Images of awkward shapes and kinds, and what transformers' CLIPImageProcessor and ChineseCLIPImageProcessor and
OpenCLIP's transform make of them.

    make_clip_pixels.py OUT

OUT/NAME.png|jpg                     the image
OUT/NAME.PEER.npy                    uint8 [48, 48, 3]: what PEER normalises, PEER being crop, squash or open-clip
"""

import io
import sys
from pathlib import Path

import numpy as np
import open_clip
import torch
import transformers
from PIL import Image

SIDE = 48
MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]


def drawing(width, height, seed):
    """Smooth shapes with some edges: neither noise, which resizing turns grey, nor flat."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    channels = [
        127 + 60 * np.sin(x / random.uniform(5, 30)) + 60 * np.cos(y / random.uniform(5, 30)) for _ in range(3)]
    pixels = np.clip(np.stack(channels, -1), 0, 255).astype(np.uint8)
    pixels[height // 3:height // 2, width // 4:width // 2] = random.integers(0, 256, 3)
    return pixels


def main(out):
    out.mkdir(parents=True, exist_ok=True)
    peers = {
        "crop": transformers.CLIPImageProcessor(
            size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}),
        "squash": transformers.ChineseCLIPImageProcessor(
            size={"height": SIDE, "width": SIDE}, do_center_crop=False),
        "open-clip": open_clip.image_transform(SIDE, is_train=False, mean=MEAN, std=STD),
    }
    shapes = [(200, 131), (131, 200), (96, 96), (301, 97), (40, 33), (48, 48), (640, 480)]
    for index, (width, height) in enumerate(shapes):
        rgb = drawing(width, height, index)
        alpha = np.linspace(0, 255, width * height).reshape(height, width, 1).astype(np.uint8)
        images = {
            "rgb.png": Image.fromarray(rgb), "rgba.png": Image.fromarray(np.concatenate([rgb, alpha], -1)),
            "photo.jpg": Image.fromarray(rgb), "grey.png": Image.fromarray(rgb[..., 0]),
        }
        for kind, image in images.items():
            name, suffix = kind.split(".")
            path = out / f"{width}x{height}-{name}.{suffix}"
            image.save(path, **({"quality": 92} if suffix == "jpg" else {}))
            opened = Image.open(io.BytesIO(path.read_bytes()))
            for peer, transform in peers.items():
                if peer == "open-clip":
                    values = transform(opened)
                else:
                    values = transform(opened, return_tensors="pt")["pixel_values"][0]
                pixels = values.permute(1, 2, 0) * torch.tensor(STD) + torch.tensor(MEAN)
                np.save(path.with_suffix(f".{peer}.npy"), (pixels * 255).round().clamp(0, 255).to(torch.uint8).numpy())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
