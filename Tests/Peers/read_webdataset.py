"""Reads and groups shards as webdataset does, nothing decoded: prints samples, bytes and seconds."""

import sys
import time

import webdataset

start = time.monotonic()
samples = size = 0
for sample in webdataset.WebDataset(sys.argv[1:], shardshuffle=False):
    samples += 1
    size += sum(len(value) for key, value in sample.items() if not key.startswith("__"))
print(samples, size, time.monotonic() - start)
