"""`make bench-throughput`: three ratios, each of things that were measured in turns.

    bench_throughput.py WINNOW BENCH_CORPUS JUDGES.yaml CORPUS DIR [--ensemble DIR] [--only NAME,...] [--rounds N]

workers   how much more two workers score than one, over how much more two sgemm processes multiply than one; on generated
          pairs in many shards, since the last shards of a few are never shared out evenly
filter    bytes a second of `winnow filter` (pin, decide, plan, write; one worker and two), over those of
          tar -xO | zstd -3, on CORPUS
reading   samples a second of reading and grouping, over those of Python's webdataset, nothing decoded on either side, on
          CORPUS

A ratio is taken within a round; the figure is the median over the rounds. Files are read once before, so that no side
waits for the disk; what is written goes to DIR. CPU is the same ratio of processor seconds: of use while the machine does
other work.
"""

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

AIMS = {"workers": 0.92, "filter, 1 worker": 0.70, "filter, 2 workers": 0.70, "reading": 10.0}


def timed(command, **options):
    """Seconds, and processor seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    subprocess.run(command, check=True, **options)
    seconds = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def output(command):
    return [float(word) for word in subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()]


class Bench:
    def __init__(self, arguments):
        self.winnow = arguments.winnow
        self.bench_corpus = arguments.bench_corpus
        self.directory = arguments.directory
        self.directory.mkdir(parents=True, exist_ok=True)
        self.ensemble = Path(arguments.ensemble) if arguments.ensemble else self.directory / "judges"
        if not arguments.ensemble:
            training = self.directory / "training"
            shutil.rmtree(training, ignore_errors=True)
            shutil.rmtree(self.ensemble, ignore_errors=True)
            self.generate(training, 1000)
            self.run("train", training, "--pipeline", arguments.judges, "--out", self.ensemble)
            shutil.rmtree(training)
        self.pairs = arguments.pairs
        self.corpus = arguments.corpus
        self.shards = sorted(self.corpus.glob("*.tar"))
        self.bytes = sum(len(shard.read_bytes()) for shard in self.shards)

    def generate(self, folder, pairs, *more):
        subprocess.run([self.bench_corpus, "generate", "--pairs", str(pairs), *more, str(folder)], check=True)

    def run(self, *arguments):
        return timed([self.winnow, *map(str, arguments), "--quiet"], stdout=subprocess.DEVNULL)

    def fresh(self, name):
        path = self.directory / name
        shutil.rmtree(path, ignore_errors=True)
        return path

    def workers(self):
        """The stage's own seconds: reading the judges in and pinning the shards is done by one thread or by one disk."""

        generated = self.directory / "shards"
        if not generated.exists():
            self.generate(generated, self.pairs, "--from", "1000", "--shard-size", "250")

        def score(workers):
            out = self.fresh("scored")
            self.run("score", generated, "--ensemble", self.ensemble, "--out", out, "--workers", workers)
            seconds = json.loads((out / ".winnow/timings.json").read_text())["seconds"]["score"]
            shutil.rmtree(out)
            return seconds

        def multiply(processes):
            started = [
                subprocess.Popen([self.bench_corpus, "multiply"], stdout=subprocess.PIPE, text=True)
                for _ in range(processes)
            ]
            return sum(float(process.communicate()[0]) for process in started)

        speed_up, products = score(1) / score(2), multiply(2) / multiply(1)
        return {"workers": (speed_up / products, f"two workers x {speed_up:.2f}, two sgemm x {products:.2f}")}

    def filter(self):
        state = self.directory / "filter-state"
        if not state.exists():
            self.run("score", self.corpus, "--ensemble", self.ensemble, "--out", state)
            self.run("fit", state)
        results = {}
        piped = self.directory / "piped.zst"
        pipe = 'out=$1; shift; cat "$@" | tar -xOf - --ignore-zeros | zstd -3 -q -c > "$out"'
        theirs, their_cpu = timed(["sh", "-c", pipe, "sh", piped, *self.shards])
        piped.unlink()
        for workers in (1, 2):
            out = self.fresh("filtered")
            shutil.copytree(state, out)
            seconds, cpu = self.run("filter", self.corpus, "--out", out, "--workers", workers)
            shutil.rmtree(out)
            detail = (
                f"{self.bytes / seconds / 1e6:.0f} MB/s, tar -xO | zstd -3 {self.bytes / theirs / 1e6:.0f} MB/s; "
                f"CPU {their_cpu / cpu:.2f}"
            )
            results[f"filter, {workers} worker{'s' * (workers - 1)}"] = (theirs / seconds, detail)
        return results

    def reading(self):
        # As long a look at both: a single pass of ours takes less than a tenth of a second.
        passes = 10
        samples, size, seconds = output([self.bench_corpus, "read", *self.shards * passes])
        script = Path(__file__).with_name("read_webdataset.py")
        their_samples, their_size, theirs = output([sys.executable, script, *self.shards])
        if (samples, size) != (passes * their_samples, passes * their_size):
            sys.exit(f"{samples} samples of {size} bytes, webdataset {their_samples} of {their_size}, {passes} times")
        ours, rate = samples / seconds, their_samples / theirs
        return {"reading": (ours / rate, f"{ours:,.0f} samples/s, webdataset {rate:,.0f}")}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("winnow")
    parser.add_argument("bench_corpus")
    parser.add_argument("judges")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--pairs", type=int, default=40_000, help="generated ones, to score: seconds of work, or the spread is as large as the aim")
    parser.add_argument("--ensemble", help="judges to score with; default: small ones")
    parser.add_argument("--only", default="workers,filter,reading")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    bench = Bench(arguments)
    print(f"{len(bench.shards)} shards, {bench.bytes / 1e6:.0f} MB", flush=True)
    below = False
    for name in arguments.only.split(","):
        rounds = []
        for number in range(arguments.rounds):
            rounds.append(getattr(bench, name)())
            for row, (ratio, detail) in rounds[-1].items():
                print(f"  {number + 1}  {row:<18} {ratio:6.2f}   {detail}", flush=True)
        for row in rounds[0]:
            ratio = statistics.median(results[row][0] for results in rounds)
            below = below or ratio < AIMS[row]
            print(f"{row:<18} {ratio:6.2f}   aim {AIMS[row]:.2f}", flush=True)
    return below


if __name__ == "__main__":
    sys.exit(main())
