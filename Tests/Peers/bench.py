"""`make bench`: Winnow against PyTorch, in turns, on the same machine with the same weights and inputs.

    bench.py WINNOW_BENCH CORPUS DIR [--only NAME,...] [--rounds N]

Both sides have two threads. Every figure is a ratio of medians; nothing is measured while the other side works. A side
whose output is not the other's ends the run: a comparison of different things says nothing.
"""

import argparse
import io
import json
import math
import statistics
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.numpy import load_file, save_file
from torch.utils.data import DataLoader, Dataset

import bench_models as models

THREADS = 2


class Winnow:
    """The process winnow-bench."""

    def __init__(self, binary, directory):
        self.directory = directory
        self.process = subprocess.Popen([binary, str(directory)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, verb, name):
        self.process.stdin.write(f"{verb} {name}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"winnow-bench ended at {verb} {name} with status {self.process.wait()}")
        return json.loads(line)

    def exports(self, name):
        return load_file(self.directory / f"{name}.safetensors")

    def output(self, name):
        self.tell("output", name)
        return load_file(self.directory / f"{name}.output.safetensors")


# The inputs that both sides read.


Image.MAX_IMAGE_PIXELS = None


def corpus_pairs(corpus):
    for shard in sorted(Path(corpus).glob("*.tar")):
        with tarfile.open(shard) as tar:
            parts = {}
            for member in tar:
                key, suffix = member.name.split(".", 1)
                if parts and parts["key"] != key:
                    parts = {}
                parts["key"] = key
                parts[suffix] = tar.extractfile(member).read()
                image = next((parts[s] for s in ("jpg", "png", "webp") if s in parts), None)
                if image is not None and "txt" in parts:
                    picture = Image.open(io.BytesIO(image))
                    if max(picture.size) <= 4000:
                        yield picture.convert("RGBA"), parts["txt"].decode()
                    parts = {}


def make_shards(corpus, directory, pairs, shards):
    """JPEG of 256 x 256, real pictures and captions."""
    directory.mkdir(parents=True, exist_ok=True)
    captions = []
    source = corpus_pairs(corpus)
    for shard in range(shards):
        with tarfile.open(directory / f"{shard:06}.tar", "w") as tar:
            for row in range(pairs // shards):
                picture, caption = next(source)
                flat = Image.new("RGB", picture.size, "white")
                flat.paste(picture, mask=picture.getchannel("A"))
                encoded = io.BytesIO()
                flat.resize((256, 256), Image.BICUBIC).save(encoded, "JPEG", quality=90)
                for suffix, data in (("jpg", encoded.getvalue()), ("txt", caption.encode())):
                    info = tarfile.TarInfo(f"{shard:03}{row:06}.{suffix}")
                    info.size = len(data)
                    tar.addfile(info, io.BytesIO(data))
                captions.append(caption)
    return captions


def save_ids(path, ids):
    lengths = np.array([len(row) for row in ids], np.float32)
    table = np.zeros((len(ids), int(lengths.max())), np.float32)
    for row, line in zip(table, ids):
        row[: len(line)] = line
    save_file({"ids": table, "lengths": lengths}, path)


def write_ids(directory, captions):
    """Real captions as CLIP's byte pairs; for BERT the same words as numbers, a piece each four letters."""
    tokenize = open_clip.get_tokenizer("ViT-B-32")
    clip = [tokenize(c)[0].numpy() for c in captions]
    save_ids(directory / "clip-text.ids.safetensors", [row[: int(row.argmax()) + 1] for row in clip])
    bert = []
    for caption in captions:
        pieces = [w[i : i + 4] for w in caption.lower().split() for i in range(0, len(w), 4)][:75]
        bert.append([101] + [1000 + hash_of(p) % 20000 for p in pieces] + [102])
    save_ids(directory / "bert-text.ids.safetensors", bert)


def hash_of(piece):
    value = 2166136261
    for byte in piece.encode():
        value = (value ^ byte) * 16777619 % 2**32
    return value


# The peers: each gives a function to time, how many items it works through, and its output for the comparison.


class Images:
    """An image encoder. A convolution may be faster with the channels last: the faster layout counts."""

    def __init__(self, make, batch):
        self.make, self.batch = make, batch

    def prepare(self, winnow, name):
        arrays = winnow.exports(name)
        x = torch.from_numpy(arrays.pop("x")).permute(0, 3, 1, 2)
        self.model = self.make(models.Weights(arrays))
        layouts = [(torch.contiguous_format, x.contiguous()), (torch.channels_last, x.contiguous(memory_format=torch.channels_last))]
        best = None
        for layout, inputs in layouts:
            self.model.to(memory_format=layout)
            self.x = inputs
            seconds = min(timed(self.run) for _ in range(3))
            if best is None or seconds < best[0]:
                best = (seconds, layout, inputs)
        self.model.to(memory_format=best[1])
        self.x = best[2]
        self.items = len(x)

    def run(self):
        self.y = torch.cat([self.model(part) for part in self.x.split(self.batch)])

    def check(self, output):
        return float(np.abs(self.y.numpy() - output["y"]).max())


class Texts:
    """A text encoder at its fixed 77 tokens."""

    def __init__(self, make, batch=64):
        self.make, self.batch = make, batch

    def prepare(self, winnow, name):
        self.model = self.make(models.Weights(winnow.exports(name)))
        arrays = load_file(winnow.directory / f"{name}.ids.safetensors")
        ids = torch.from_numpy(arrays["ids"]).long()
        self.ids = F.pad(ids, (0, 77 - ids.shape[1]))
        self.items = len(ids)
        self.note = f"{arrays['lengths'].mean():.1f} tokens a caption"

    def run(self):
        self.y = torch.cat([self.model(part) for part in self.ids.split(self.batch)])

    check = Images.check


class Steps:
    """Training steps on one batch: forward, loss, backward, clipping, AdamW and the average of the weights."""

    steps = 4

    def __init__(self, text):
        self.text = text

    def prepare(self, winnow, name):
        arrays = winnow.exports(name)
        x = torch.from_numpy(arrays.pop("x")).permute(0, 3, 1, 2)
        self.tokens = [torch.from_numpy(arrays.pop(n)).long() for n in ("ids", "token_ends", "caption_ends")]
        self.model = models.Pair(models.Weights(arrays), self.text)
        self.items = self.steps * len(x)
        # The loss and the gradient as they are before the first step.
        self.x = x.contiguous()
        with torch.inference_mode(False):
            loss = self.model(self.x, *self.tokens)
            loss.backward()
        norm = math.sqrt(sum(float((p.grad.double() ** 2).sum()) for p in self.model.parameters()))
        self.start = np.array([float(loss.detach()), norm])
        parameters = list(self.model.parameters())
        self.optimiser = torch.optim.AdamW(parameters, lr=5e-4, betas=(0.9, 0.95), weight_decay=1, fused=True)
        self.averages = [p.detach().clone() for p in parameters]
        last = x.contiguous(memory_format=torch.channels_last)
        slow = timed(self.run)
        self.model.to(memory_format=torch.channels_last)
        self.x = last
        timed(self.run)
        if timed(self.run) > slow:
            self.model.to(memory_format=torch.contiguous_format)
            self.x = x.contiguous()

    def run(self):
        parameters = list(self.model.parameters())
        with torch.inference_mode(False), torch.enable_grad():
            for _ in range(self.steps):
                self.optimiser.zero_grad()
                self.model(self.x, *self.tokens).backward()
                torch.nn.utils.clip_grad_norm_(parameters, 1.0)
                self.optimiser.step()
                with torch.no_grad():
                    torch._foreach_lerp_(self.averages, parameters, 0.01)

    def check(self, output):
        return float(np.abs(output["loss"] / self.start - 1).max())


class Shards(Dataset):
    """Pillow: the image as a square of `side`, -1...1."""

    def __init__(self, directory, side, limit=None):
        self.pairs = []
        for shard in sorted((directory / "shards").glob("*.tar")):
            with tarfile.open(shard) as tar:
                members = [tar.extractfile(m).read() for m in tar]
            self.pairs += list(zip(members[::2], members[1::2]))
        self.pairs, self.side = self.pairs[:limit], side

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, i):
        picture = Image.open(io.BytesIO(self.pairs[i][0]))
        picture.draft("RGB", (2 * self.side, 2 * self.side))  # scaled decoding, as ours does
        picture = picture.convert("RGB").resize((self.side, self.side), Image.BICUBIC)
        return torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 127.5 - 1


class DecodeAndEncode:
    """Pillow in the workers of a DataLoader, the convolutional encoder in front."""

    def prepare(self, winnow, name):
        self.model = models.ConvEncoder.from_weights(models.Weights(winnow.exports(name)))
        self.loader = DataLoader(Shards(winnow.directory, 64), batch_size=64, num_workers=THREADS, persistent_workers=True)
        self.items = len(self.loader.dataset)

    def run(self):
        self.y = torch.cat([self.model(x) for x in self.loader])

    def check(self, output):
        # Both decode to a scale of their own choice, so pixels differ: directions still agree.
        return float(1 - (self.y.numpy() * output["y"]).sum(1).mean())


class Scoring:
    """open_clip's ViT-B/32 over the same pairs: decode, tokenize, encode both, the cosine."""

    def prepare(self, winnow, name):
        self.model, _, preprocess = open_clip.create_model_and_transforms("ViT-B-32-quickgelu", pretrained=None)
        self.model.eval()
        tokenize = open_clip.get_tokenizer("ViT-B-32")
        data = Shards(winnow.directory, 224, limit=192)

        class Pairs(Dataset):
            def __len__(self):
                return len(data.pairs)

            def __getitem__(self, i):
                image, caption = data.pairs[i]
                return preprocess(Image.open(io.BytesIO(image))), tokenize(caption.decode())[0]

        self.loader = DataLoader(Pairs(), batch_size=64, num_workers=THREADS, persistent_workers=True)
        self.items = len(data.pairs)

    def run(self):
        for images, texts in self.loader:
            v = F.normalize(self.model.encode_image(images), dim=-1)
            t = F.normalize(self.model.encode_text(texts), dim=-1)
            (v * t).sum(-1)

    def check(self, output):
        return 0.0


def timed(body, clock=time.perf_counter):
    start = clock()
    with torch.inference_mode():
        body()
    return clock() - start


# name: (what, peer, bar, largest difference of the outputs)
CASES = {
    "vit-b-32": ("ViT-B/32, images", Images(lambda w: models.vision(w, 224, 12), 32), 1.05, 1e-4),
    "vit-small": ("our small ViT, images", Images(lambda w: models.vision(w, 64, 4), 96), 1.3, 1e-4),
    "conv": ("our convolutional encoder, images", Images(models.ConvEncoder.from_weights, 96), 2, 1e-4),
    "clip-text": ("CLIP's text tower, captions", Texts(lambda w: models.clip_text(w, 8)), 4, 1e-4),
    "bert-text": ("BERT's text tower, captions", Texts(lambda w: models.BertText(w, 12)), 4, 1e-4),
    "step-conv-bag": ("a training step of conv-bag, pairs", Steps(models.BagText), 1.5, 1e-3),
    "step-conv-transformer": ("a training step of conv-transformer", Steps(models.WordTransformer), 1.5, 1e-3),
    "decode-and-encode": ("decode + resize + encode", DecodeAndEncode(), 2, 2e-2),
    "scoring": ("the default ensemble's scoring pass", Scoring(), 60, 0),
}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("binary")
    arguments.add_argument("corpus")
    arguments.add_argument("directory", type=Path)
    arguments.add_argument("--only", default=",".join(CASES))
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument(
        "--cpu", action="store_true",
        help="CPU seconds instead of elapsed ones, for a machine with other work; blind to idle threads and to worker processes")
    options = arguments.parse_args()
    seconds, clock = ("cpuSeconds", time.process_time) if options.cpu else ("seconds", time.perf_counter)
    torch.set_num_threads(THREADS)
    captions = make_shards(options.corpus, options.directory / "shards", pairs=1536, shards=8)
    write_ids(options.directory, captions[:128])
    winnow = Winnow(options.binary, options.directory)
    winnow.tell("prepare", "sgemm")
    print(f"PyTorch {torch.__version__}, {THREADS} threads each, medians of {options.rounds} rounds taken in turns")
    print(f"{'':36} {'ours':>10} {'PyTorch':>10} {'ratio':>7} {'bar':>6}  of sgemm  buffers  peak memory")
    missed = []
    for name in options.only.split(","):
        what, peer, bar, tolerance = CASES[name]
        winnow.tell("prepare", name)
        peer.prepare(winnow, name)
        ours, theirs, peaks, reports = [], [], [], []
        winnow.tell("run", name)
        timed(peer.run)
        difference = peer.check(winnow.output(name)) if tolerance else 0
        if difference > tolerance:
            sys.exit(f"{name}: the outputs differ by {difference}, more than {tolerance}")
        for _ in range(options.rounds):
            product = winnow.tell("run", "sgemm")
            peaks.append(product["operations"] / product[seconds])
            reports.append(winnow.tell("run", name))
            ours.append(reports[-1]["items"] / reports[-1][seconds])
            theirs.append(peer.items / timed(peer.run, clock))
        ratio = statistics.median(ours) / statistics.median(theirs)
        share = ""
        if "operations" in reports[0]:
            rate = reports[0]["operations"] / reports[0]["items"] * statistics.median(ours)
            share = f"{100 * rate / statistics.median(peaks):.0f} %"
        if ratio < bar:
            missed.append(name)
        print(
            f"{what:36} {statistics.median(ours):8.0f}/s {statistics.median(theirs):8.1f}/s {ratio:6.2f}x {bar:5}x"
            f"  {share:>8}  {reports[-1]['buffers']:>7}  {reports[-1]['peakMemory']:>7} MiB"
            + (f"  ({peer.note})" if hasattr(peer, "note") else ""), flush=True)
        winnow.tell("drop", name)
    print(f"peak of the library's product: {statistics.median(peaks) / 1e9:.0f} GFLOP/s on {THREADS} threads")
    if missed:
        print("below the bar: " + ", ".join(missed) + " (see Tests/Benchmarks/README.md)")


if __name__ == "__main__":
    main()
