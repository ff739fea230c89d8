#!/usr/bin/env python3
"""Saves CLIP models of random weights as their own libraries do, and what those make of some images and captions.

    make_clip_models.py OUT --layout hugging-face|chinese|open-clip [--size tiny|base] [--dtype float32|float16|bfloat16]
                            [--activation gelu|quick_gelu] [--shards]

OUT/...                  the model's folder: weights, configuration, preprocessing
OUT/pixels.npy           uint8 [n, side, side, 3]
OUT/tokens.npy           int64 [n, length], each row ended by the end token (or [SEP]) and padded
OUT/lengths.npy          int64 [n]
OUT/image_rows.npy       float32 [n, dimension], unit rows
OUT/text_rows.npy        float32 [n, dimension], unit rows

The committed ones (Tests/EncodersTests/Goldens) are `--size golden --dtype float16`, made by `--goldens DIR`.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

SIZES = {
    # width, depth, heads, hidden, side, patch; width, depth, heads, hidden, vocabulary, context; dimension
    "golden": ((16, 2, 2, 24, 16, 8), (12, 2, 3, 20, 40, 9), 8),
    "tiny": ((64, 3, 4, 96, 48, 12), (48, 3, 4, 100, 300, 20), 32),
    "base": ((768, 12, 12, 3072, 224, 32), (512, 12, 8, 2048, 49408, 77), 512),
}
MEAN = [0.48145466, 0.4578275, 0.40821073]
STD = [0.26862954, 0.26130258, 0.27577711]


def randomise(model, seed):
    """Biases of zero and gains of one would hide what is mixed up."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if name == "logit_scale":
            continue
        noise = torch.randn(parameter.shape, generator=generator)
        with torch.no_grad():
            if parameter.ndim == 1:
                is_gain = "norm" in name.lower() or "ln_" in name
                parameter.copy_((1 if is_gain and name.endswith("weight") else 0) + 0.2 * noise)
            elif "embed" in name:
                parameter.copy_(0.5 * noise)
            else:
                fan = parameter[0].numel() if parameter.ndim == 4 else max(parameter.shape)
                parameter.copy_(noise * fan ** -0.5)


MERGES = ["t h", "th e</w>", "a n", "i n", "e r", "o r", "r e", "e d</w>", "o n", "f i", "c a", "a t</w>"]


def write_byte_pairs(out):
    """CLIP's vocabulary with a dozen merges: vocab.json and merges.txt."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in printable]
    letters = [chr(byte) for byte in printable] + [chr(256 + i) for i in range(len(rest))]
    tokens = letters + [letter + "</w>" for letter in letters]
    tokens += [merge.replace(" ", "") for merge in MERGES] + ["<|startoftext|>", "<|endoftext|>"]
    (out / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(tokens)}))
    (out / "merges.txt").write_text("\n".join(["#version: 0.2", *MERGES]) + "\n")
    return len(tokens)


def hugging_face(arguments, out):
    import transformers

    (vw, vd, vh, vm, side, patch), (tw, td, th, tm, vocabulary, context), dimension = SIZES[arguments.size]
    chinese = arguments.layout == "chinese"
    if arguments.size == "golden" and not chinese:
        vocabulary = write_byte_pairs(out)
    text = dict(
        hidden_size=tw, num_hidden_layers=td, num_attention_heads=th, intermediate_size=tm, vocab_size=vocabulary,
        max_position_embeddings=context)
    if not chinese:
        text.update(bos_token_id=vocabulary - 2, eos_token_id=vocabulary - 1, pad_token_id=vocabulary - 1,
                    hidden_act=arguments.activation)
    vision = dict(
        hidden_size=vw, num_hidden_layers=vd, num_attention_heads=vh, intermediate_size=vm, image_size=side,
        patch_size=patch, hidden_act=arguments.activation)
    family = "ChineseCLIP" if chinese else "CLIP"
    configuration = getattr(transformers, f"{family}Config")(
        text_config=text, vision_config=vision, projection_dim=dimension)
    model = getattr(transformers, f"{family}Model")(configuration).eval()
    randomise(model, 1)
    model = model.to(getattr(torch, arguments.dtype))
    options = {"max_shard_size": "40KB"} if arguments.shards else {}
    model.save_pretrained(out, **options)
    processor = getattr(transformers, f"{family}ImageProcessor")(
        size={"height": side, "width": side} if chinese else {"shortest_edge": side},
        do_center_crop=not chinese, crop_size={"height": side, "width": side}, image_mean=MEAN, image_std=STD)
    processor.save_pretrained(out)
    model = model.float()

    def encode(pixels, tokens, lengths):
        mask = (torch.arange(tokens.shape[1])[None] < lengths[:, None]).long()
        result = model(input_ids=tokens, attention_mask=mask, pixel_values=pixels)
        return result.image_embeds, result.text_embeds

    return encode


def open_clip_model(arguments, out):
    import open_clip
    import safetensors.torch

    (vw, vd, vh, vm, side, patch), (tw, td, th, tm, vocabulary, context), dimension = SIZES[arguments.size]
    model_cfg = {
        "embed_dim": dimension,
        "vision_cfg": {"image_size": side, "layers": vd, "width": vw, "patch_size": patch, "head_width": vw // vh,
                       "mlp_ratio": vm / vw},
        "text_cfg": {"context_length": context, "vocab_size": vocabulary, "width": tw, "heads": th, "layers": td,
                     "mlp_ratio": tm / tw},
    }
    quick = arguments.activation == "quick_gelu"
    if quick:
        model_cfg["quick_gelu"] = True
    model = open_clip.model.CLIP(**model_cfg).eval()
    randomise(model, 2)
    model = model.to(getattr(torch, arguments.dtype))
    safetensors.torch.save_file(
        {k: v.contiguous() for k, v in model.state_dict().items()}, str(out / "open_clip_model.safetensors"))
    preprocess = {"mean": MEAN, "std": STD, "interpolation": "bicubic", "resize_mode": "shortest"}
    (out / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": model_cfg, "preprocess_cfg": preprocess}, indent=2))
    model = model.float()

    def encode(pixels, tokens, lengths):
        return model.encode_image(pixels, normalize=True), model.encode_text(tokens, normalize=True)

    return encode


def make(arguments):
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    layout = open_clip_model if arguments.layout == "open-clip" else hugging_face
    encode = layout(arguments, out)
    (_, _, _, _, side, _), (_, _, _, _, vocabulary, context), _ = SIZES[arguments.size]
    if (out / "vocab.json").exists():
        vocabulary = len(json.loads((out / "vocab.json").read_text()))
    random = np.random.default_rng(3)
    count = 3 if arguments.size == "golden" else 9
    pixels = random.integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    lengths = np.array([min(context, 3 + 5 * i) for i in range(count)], dtype=np.int64)
    if arguments.layout == "chinese":
        start, end, pad = 1, 2, 0
    else:
        start, end, pad = vocabulary - 2, vocabulary - 1, 0
    tokens = np.full((count, context), pad, dtype=np.int64)
    for row, length in zip(tokens, lengths):
        row[:length] = random.integers(3, vocabulary - 2, length)
        row[0], row[length - 1] = start, end
    values = (torch.from_numpy(pixels).float() / 255 - torch.tensor(MEAN)) / torch.tensor(STD)
    with torch.inference_mode():
        images, texts = encode(values.permute(0, 3, 1, 2), torch.from_numpy(tokens), torch.from_numpy(lengths))
    images, texts = [rows / rows.norm(dim=-1, keepdim=True) for rows in (images, texts)]
    for name, array in [
        ("pixels", pixels), ("tokens", tokens), ("lengths", lengths), ("image_rows", images.numpy()),
        ("text_rows", texts.numpy()),
    ]:
        np.save(out / f"{name}.npy", np.ascontiguousarray(array))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", nargs="?")
    parser.add_argument("--layout", choices=["hugging-face", "chinese", "open-clip"])
    parser.add_argument("--size", choices=list(SIZES), default="tiny")
    parser.add_argument("--dtype", choices=["float32", "float16", "bfloat16"], default="float32")
    parser.add_argument("--activation", choices=["gelu", "quick_gelu"], default="quick_gelu")
    parser.add_argument("--shards", action="store_true")
    parser.add_argument("--goldens")
    arguments = parser.parse_args()
    if not arguments.goldens:
        return make(arguments)
    for layout, activation in [("hugging-face", "quick_gelu"), ("chinese", "quick_gelu"), ("open-clip", "gelu")]:
        arguments.out = f"{arguments.goldens}/{layout}"
        arguments.layout, arguments.activation = layout, activation
        arguments.size, arguments.dtype = "golden", "float16"
        make(arguments)


if __name__ == "__main__":
    main()
