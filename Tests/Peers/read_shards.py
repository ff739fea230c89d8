"""Read shards the way a trainer does, with Python's webdataset, and print what arrived.

    python read_shards.py clean/000000.tar.zst clean/000001.tar.zst
    {"shard": "000000.tar.zst", "key": "000000001", "members": {"png": {"bytes": 9, "sha256": "..."}, ...}}

One JSON object a line and sample, in the order of arrival. A path that ends in .zst goes through
`pipe:zstd -dcq`, since webdataset opens no zstd itself; the exit status is 1 when a shard cannot be read.
"""

import hashlib
import json
import os
import shlex
import sys

import webdataset


def url(path: str) -> str:
    return f"pipe:zstd -dcq {shlex.quote(path)}" if path.endswith(".zst") else path


def main(paths: list[str]) -> None:
    if not paths:
        sys.exit(__doc__)
    for path in paths:
        # webdataset fills `__name__`-like entries of its own beside the members.
        for sample in webdataset.WebDataset([url(path)], shardshuffle=False, empty_check=False):
            members = {
                suffix: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
                for suffix, data in sample.items()
                if not suffix.startswith("__")
            }
            record = {
                "shard": os.path.basename(path),
                "key": sample["__key__"],
                "members": members,
            }
            print(json.dumps(record, sort_keys=True))


if __name__ == "__main__":
    main(sys.argv[1:])
