"""Token ids of captions by transformers' CLIPTokenizer with a vocabulary that Winnow has learnt.

    python tokenize_learnt.py FOLDER captions.json OUT.json

FOLDER holds vocab.json and merges.txt; OUT.json gets the ids in the form of tokenize_captions.py.
"""

import json
import sys

from transformers import CLIPTokenizer


def main(folder: str, captions: str, out: str) -> None:
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    with open(captions, encoding="utf-8") as file:
        texts = json.load(file)

    def encode(text: str, limit: int) -> list[int]:
        return tokenizer(text, truncation=True, max_length=limit)["input_ids"]

    record = {
        "whole": [encode(text, 77) for text in texts],
        "cut": [[encode(text, limit) for limit in range(2, 10)] for text in texts[:200]],
    }
    with open(out, "w", encoding="utf-8") as file:
        json.dump(record, file)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
