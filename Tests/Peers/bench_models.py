"""The peers of `make bench`: the same models in PyTorch, with the weights that winnow-bench exports."""

import math

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from open_clip.transformer import TextTransformer, VisionTransformer
from torch import nn
from transformers import BertConfig, BertModel


class Weights:
    """Winnow's exported arrays; matrices are [in, out] there and [out, in] in PyTorch."""

    def __init__(self, arrays):
        self.arrays = {name: torch.from_numpy(np.array(a)) for name, a in arrays.items()}

    def vector(self, name):
        return self.arrays[name].clone()

    def matrix(self, name):
        return self.arrays[name].T.contiguous()

    def linear(self, module, name):
        module.weight.data = self.matrix(f"{name}.weight")
        if module.bias is not None:
            module.bias.data = self.vector(f"{name}.bias")

    def norm(self, module, name):
        module.weight.data = self.vector(f"{name}.weight")
        module.bias.data = self.vector(f"{name}.bias")

    def convolution(self, module, name):
        """[k, k, in, out] to [out, in, k, k]."""
        module.weight.data = self.arrays[f"{name}.weight"].permute(3, 2, 0, 1).contiguous()
        if module.bias is not None:
            module.bias.data = self.vector(f"{name}.bias")


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.GroupNorm(1, width)
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x):
        return x + self.conv(F.relu(self.norm(x)))


class ConvEncoder(nn.Module):
    """The convolutional image encoder."""

    def __init__(self, widths, blocks, dimension):
        super().__init__()
        layers, channels = [], 3
        for stage, width in enumerate(widths):
            if stage:
                layers.append(nn.GroupNorm(1, channels))
            layers.append(nn.Conv2d(channels, width, 3, stride=2, padding=1))
            layers += [Residual(width) for _ in range(blocks[stage])] + [nn.ReLU()]
            channels = width
        self.body = nn.Sequential(*layers)
        self.norm = nn.LayerNorm(channels)
        self.projection = nn.Linear(channels, dimension)

    def forward(self, x):
        return F.normalize(self.projection(self.norm(self.body(x).mean((2, 3)))), dim=-1)

    @staticmethod
    def from_weights(w):
        stages = sorted(n for n in w.arrays if n.endswith(".down.weight"))
        widths = [w.arrays[n].shape[3] for n in stages]
        blocks = [
            sum(n.startswith(f"image.stage{s}.block") and n.endswith("conv.weight") for n in w.arrays)
            for s in range(len(stages))
        ]
        model = ConvEncoder(widths, blocks, w.arrays["image.projection.weight"].shape[1])
        layers = iter(model.body)
        for stage in range(len(stages)):
            name = f"image.stage{stage}"
            if stage:
                w.norm(next(layers), f"{name}.norm")
            w.convolution(next(layers), f"{name}.down")
            for block in range(blocks[stage]):
                residual = next(layers)
                w.norm(residual.norm, f"{name}.block{block}.norm")
                w.convolution(residual.conv, f"{name}.block{block}.conv")
            next(layers)  # ReLU
        w.norm(model.norm, "image.norm")
        w.linear(model.projection, "image.projection")
        return model.eval()


def load_blocks(transformer, w, prefix):
    for i, block in enumerate(transformer.resblocks):
        name = f"{prefix}{i}"
        w.norm(block.ln_1, f"{name}.ln_1")
        block.attn.in_proj_weight.data = w.matrix(f"{name}.attn.qkv.weight")
        block.attn.in_proj_bias.data = w.vector(f"{name}.attn.qkv.bias")
        w.linear(block.attn.out_proj, f"{name}.attn.out")
        w.norm(block.ln_2, f"{name}.ln_2")
        w.linear(block.mlp.c_fc, f"{name}.mlp.c_fc")
        w.linear(block.mlp.c_proj, f"{name}.mlp.c_proj")


def blocks_in(w, prefix):
    return sum(n.startswith(prefix) and n.endswith(".ln_1.weight") for n in w.arrays)


class Unit(nn.Module):
    """A tower, its rows scaled to length 1."""

    def __init__(self, tower):
        super().__init__()
        self.tower = tower

    def forward(self, x):
        return F.normalize(self.tower(x), dim=-1)


def vision(w, side, heads):
    """open_clip's vision transformer."""
    patch, _, _, width = w.arrays["image.patch.weight"].shape
    tower = VisionTransformer(
        image_size=side, patch_size=patch, width=width, layers=blocks_in(w, "image.block"), heads=heads,
        mlp_ratio=4, output_dim=w.arrays["image.projection.weight"].shape[1], act_layer=open_clip.model.QuickGELU)
    w.convolution(tower.conv1, "image.patch")
    tower.class_embedding.data = w.vector("image.class")
    tower.positional_embedding.data = w.vector("image.positions")
    w.norm(tower.ln_pre, "image.ln_pre")
    load_blocks(tower.transformer, w, "image.block")
    w.norm(tower.ln_post, "image.ln_post")
    tower.proj.data = w.vector("image.projection.weight")
    return Unit(tower).eval()


def clip_text(w, heads):
    """open_clip's text transformer: causal, always 77 tokens."""
    rows, width = w.arrays["text.tokens.weight"].shape
    tower = TextTransformer(
        context_length=77, vocab_size=rows, width=width, heads=heads, layers=blocks_in(w, "text.block"),
        output_dim=w.arrays["text.projection.weight"].shape[1], act_layer=open_clip.model.QuickGELU)
    tower.token_embedding.weight.data = w.vector("text.tokens.weight")
    tower.positional_embedding.data = w.vector("text.positions.weight")
    load_blocks(tower.transformer, w, "text.block")
    w.norm(tower.ln_final, "text.norm_out")
    tower.text_projection.data = w.vector("text.projection.weight")
    return Unit(tower).eval()


class BertText(nn.Module):
    """transformers' BERT as Chinese-CLIP uses it: the row of [CLS], projected; always padded to 77 tokens."""

    def __init__(self, w, heads):
        super().__init__()
        rows, width = w.arrays["text.tokens.weight"].shape
        positions = w.arrays["text.positions.weight"].shape[0]
        self.bert = BertModel(BertConfig(
            vocab_size=rows, hidden_size=width, num_hidden_layers=blocks_in(w, "text.block"),
            num_attention_heads=heads, intermediate_size=4 * width, max_position_embeddings=positions),
            add_pooling_layer=False)
        embeddings = self.bert.embeddings
        embeddings.word_embeddings.weight.data = w.vector("text.tokens.weight")
        embeddings.position_embeddings.weight.data = w.vector("text.positions.weight")
        embeddings.token_type_embeddings.weight.data.zero_()
        w.norm(embeddings.LayerNorm, "text.embeddings.norm")
        for i, layer in enumerate(self.bert.encoder.layer):
            name = f"text.block{i}"
            qkv, bias = w.matrix(f"{name}.attn.qkv.weight").chunk(3), w.vector(f"{name}.attn.qkv.bias").chunk(3)
            own = layer.attention.self
            for part, module in enumerate((own.query, own.key, own.value)):
                module.weight.data, module.bias.data = qkv[part].clone(), bias[part].clone()
            w.linear(layer.attention.output.dense, f"{name}.attn.out")
            w.norm(layer.attention.output.LayerNorm, f"{name}.ln_1")
            w.linear(layer.intermediate.dense, f"{name}.mlp.c_fc")
            w.linear(layer.output.dense, f"{name}.mlp.c_proj")
            w.norm(layer.output.LayerNorm, f"{name}.ln_2")
        self.projection = nn.Linear(width, w.arrays["text.projection.weight"].shape[1], bias=False)
        w.linear(self.projection, "text.projection")
        self.eval()

    def forward(self, ids):
        rows = self.bert(input_ids=ids, attention_mask=(ids != 0).long()).last_hidden_state
        return F.normalize(self.projection(rows[:, 0]), dim=-1)


# Training: the small members, for a step of the same size as ours.


def embedding_bag(table, ids, ends):
    """For each bag the sum of its rows over the root of their number, as EmbeddingBag.swift has it."""
    starts = torch.cat([torch.zeros(1, dtype=torch.long), ends[:-1]])
    rows = F.embedding_bag(ids, table, starts, mode="sum")
    return rows / (ends - starts).clamp(min=1).float().sqrt()[:, None]


class BagText(nn.Module):
    """All words and n-grams of a caption in one bag, then a residual MLP."""

    def __init__(self, w):
        super().__init__()
        self.table = nn.Parameter(w.vector("text.bag.weight"))
        width = self.table.shape[1]
        self.norm, self.norm_out = nn.LayerNorm(width), nn.LayerNorm(width)
        self.c_fc, self.c_proj = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.projection = nn.Linear(width, w.arrays["text.projection.weight"].shape[1])
        w.norm(self.norm, "text.norm")
        w.norm(self.norm_out, "text.norm_out")
        w.linear(self.c_fc, "text.mlp.c_fc")
        w.linear(self.c_proj, "text.mlp.c_proj")
        w.linear(self.projection, "text.projection")

    def forward(self, ids, token_ends, caption_ends):
        x = self.norm(embedding_bag(self.table, ids, caption_ends))
        x = x + self.c_proj(F.relu(self.c_fc(x)))
        return F.normalize(self.projection(self.norm_out(x)), dim=-1)


class WordTransformer(nn.Module):
    """A transformer over a caption's words, padded to the longest of the batch; the mean over the words."""

    def __init__(self, w, heads=4):
        super().__init__()
        self.table = nn.Parameter(w.vector("text.words.weight"))
        self.positions = nn.Parameter(w.vector("text.positions.weight"))
        width, self.heads = self.table.shape[1], heads
        self.blocks = nn.ModuleList()
        for i in range(blocks_in(w, "text.block")):
            block = nn.ModuleDict({
                "ln_1": nn.LayerNorm(width), "qkv": nn.Linear(width, 3 * width), "out": nn.Linear(width, width),
                "ln_2": nn.LayerNorm(width), "c_fc": nn.Linear(width, 4 * width), "c_proj": nn.Linear(4 * width, width)})
            name = f"text.block{i}"
            w.norm(block["ln_1"], f"{name}.ln_1")
            w.norm(block["ln_2"], f"{name}.ln_2")
            for ours, theirs in (("attn.qkv", "qkv"), ("attn.out", "out"), ("mlp.c_fc", "c_fc"), ("mlp.c_proj", "c_proj")):
                w.linear(block[theirs], f"{name}.{ours}")
            self.blocks.append(block)
        self.norm_out = nn.LayerNorm(width)
        self.projection = nn.Linear(width, w.arrays["text.projection.weight"].shape[1])
        w.norm(self.norm_out, "text.norm_out")
        w.linear(self.projection, "text.projection")

    def forward(self, ids, token_ends, caption_ends):
        lengths = torch.diff(caption_ends, prepend=torch.zeros(1, dtype=torch.long))
        rows = embedding_bag(self.table, ids, token_ends).split(lengths.tolist())
        x = nn.utils.rnn.pad_sequence(rows, batch_first=True)
        x = x + self.positions[: x.shape[1]]
        mask = torch.arange(x.shape[1])[None] < lengths[:, None]
        for block in self.blocks:
            q, k, v = (
                part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in block["qkv"](block["ln_1"](x)).chunk(3, -1))
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None])
            x = x + block["out"](mixed.transpose(1, 2).flatten(2))
            hidden = block["c_fc"](block["ln_2"](x))
            x = x + block["c_proj"](hidden * torch.sigmoid(1.702 * hidden))
        x = (x * mask[..., None]).sum(1) / lengths[:, None]
        return F.normalize(self.projection(self.norm_out(x)), dim=-1)


class Pair(nn.Module):
    """A member in training: both encoders and the temperature; symmetric InfoNCE over captions that all differ."""

    def __init__(self, w, text):
        super().__init__()
        self.image, self.text = ConvEncoder.from_weights(w).train(), text(w)
        self.log_scale = nn.Parameter(w.vector("logit_scale"))

    def forward(self, images, *tokens):
        scale = self.log_scale.clamp(max=math.log(100)).exp()
        logits = scale * self.image(images) @ self.text(*tokens).T
        labels = torch.arange(len(images))
        return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2
