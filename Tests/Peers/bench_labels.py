"""`make bench-labels`: `winnow labels` against cleanlab's find_label_issues, in turns, on the same file.

    bench_labels.py WINNOW DIR [--rows N] [--classes K] [--rounds R] [--large N]

cleanlab's time is that of the call alone, with the array in memory; ours that of the process, from its start, with its
reads of the file. The file is in the page cache. The driver holds no arrays, so that a process's peak is its own.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path


def generate(folder, rows, classes):
    """Labels of which 10 % are wrong, and probabilities of a fair model, float32."""
    import numpy as np

    random = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    truth = random.integers(classes, size=rows)
    wrong = random.random(rows) < 0.1
    labels = np.where(wrong, random.integers(classes, size=rows), truth)
    np.save(folder / "y.npy", labels)
    with open(folder / "p.npy", "wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": (rows, classes)}
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, rows, 100_000):
            part = truth[start : start + 100_000]
            probs = random.standard_normal((len(part), classes), dtype=np.float32)
            probs[np.arange(len(part)), part] += 5
            np.exp(probs, out=probs)
            probs /= probs.sum(axis=1, keepdims=True)
            file.write(probs.tobytes())


def megabytes(kibibytes):
    return kibibytes * 1024 / 1e6


def cleanlab_run(folder, ours):
    """Times the default filter; with the file of our indices, compares the sets instead."""
    import resource
    import warnings

    import numpy as np
    from cleanlab.filter import find_label_issues

    warnings.filterwarnings("ignore")
    labels, probs = np.load(folder / "y.npy"), np.load(folder / "p.npy")
    if ours:
        mine = set(np.load(ours).tolist())

        def different(probs):
            return len(mine ^ set(np.flatnonzero(find_label_issues(labels, probs, n_jobs=1)).tolist()))

        as_it_is = different(probs)
        # Which of equal remainders is rounded up depends on numpy's sort, which is not stable unless it is told to be.
        default = np.argsort
        np.argsort = lambda a, axis=-1, kind="stable": default(a, axis=axis, kind=kind)
        # Widened, since our arithmetic is that of float64; in float32 means and margins are rounded otherwise.
        print(json.dumps({"flagged": len(mine), "stable": different(probs.astype(np.float64)), "as it is": as_it_is}))
        return
    def processor():
        return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start, busy = time.perf_counter(), processor()
    find_label_issues(labels, probs)
    seconds, busy = time.perf_counter() - start, processor() - busy
    above = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(json.dumps({"seconds": seconds, "processor": busy, "megabytes": megabytes(above)}))


def read_seconds(path, threads=2, block=1 << 20):
    """The time that two threads take to read the file once, each its half."""
    size = os.path.getsize(path)
    descriptor = os.open(path, os.O_RDONLY)

    def read(start, end):
        buffer = bytearray(block)
        for offset in range(start, end, block):
            os.preadv(descriptor, [buffer], offset)

    parts = [threading.Thread(target=read, args=(i * size // threads, (i + 1) * size // threads)) for i in range(threads)]
    start = time.perf_counter()
    for part in parts:
        part.start()
    for part in parts:
        part.join()
    seconds = time.perf_counter() - start
    os.close(descriptor)
    return seconds


def winnow_run(binary, folder, out=None):
    command = [binary, "labels", "--labels", folder / "y.npy", "--pred-probs", folder / "p.npy", "--quiet"]
    command += ["--out", out] if out else []
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        sys.exit(f"winnow ended with status {status}")
    return seconds, usage.ru_utime + usage.ru_stime, megabytes(usage.ru_maxrss)


def this(verb, folder, *more):
    return subprocess.run(
        [sys.executable, __file__, verb, folder, *map(str, more)], check=True, stdout=subprocess.PIPE, text=True).stdout


def main():
    if sys.argv[1:2] == ["generate"]:
        return generate(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    if sys.argv[1:2] == ["cleanlab"]:
        return cleanlab_run(Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None)
    arguments = argparse.ArgumentParser()
    arguments.add_argument("binary")
    arguments.add_argument("directory", type=Path)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--classes", type=int, default=100)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--large", type=int, default=10_000_000, help="rows of the memory test; 0 leaves it out")
    given = arguments.parse_args()
    folder = given.directory / "labels"
    this("generate", folder, given.rows, given.classes)
    reading, ours, theirs = [], [], []
    read_seconds(folder / "p.npy")
    for _ in range(given.rounds):
        reading.append(3 * read_seconds(folder / "p.npy"))
        ours.append(winnow_run(given.binary, folder))
        run = json.loads(this("cleanlab", folder))
        theirs.append((run["seconds"], run["processor"], run["megabytes"]))
    winnow_run(given.binary, folder, folder / "ours.npy")
    agreement = json.loads(this("cleanlab", folder, folder / "ours.npy"))
    read = statistics.median(reading)
    us, our_processor, our_peak = map(statistics.median, zip(*ours))
    them, their_processor, their_peak = map(statistics.median, zip(*theirs))
    print(f"{given.rows:,} x {given.classes} float32, default filter, medians of {given.rounds} rounds taken in turns")
    print(f"winnow labels     {us:7.3f} s   processor {our_processor:6.3f} s   {our_peak:6.0f} MB in all")
    print(f"cleanlab          {them:7.3f} s   processor {their_processor:6.3f} s   {their_peak:6.0f} MB above its input")
    print(f"ratio             {them / us:7.1f} x   processor {their_processor / our_processor:6.1f} x   bar 10 x")
    print(f"reading thrice    {read:7.3f} s   ours takes {us / read:.1f} x that, bar 3 x")
    print(
        f"flagged {agreement['flagged']:,}; cleanlab's set differs in {agreement['as it is']}, "
        f"with a stable sort on the widened array in {agreement['stable']}")
    if given.large:
        this("generate", folder, given.large, given.classes)
        seconds, processor, peak = winnow_run(given.binary, folder)
        print(f"{given.large:,} rows   {seconds:7.3f} s   processor {processor:6.3f} s   {peak:6.0f} MB in all")


if __name__ == "__main__":
    main()
