"""`make bench-scale`: what a run of any size takes in memory, and what a pair costs.

    bench_scale.py WINNOW BENCH_CORPUS JUDGES.yaml DIR [--sizes N,...] [--workers N] [--ensemble DIR --corpus DIR]

The judges are trained once, on 1,000 pairs; then they clean corpora of every size, of pairs they haven't seen. Then come
corpora of one pair a shard, each cleaned and looked through once more a night later; then shards that are crowded with
samples, and shards full of bombs; last a list on standard input, of shards that aren't there: inspected, and given to a
training and a cleaning, which find that none can be opened. Memory is RssAnon of the process, at most, looked at every
10 ms (mapped files, which the system takes back, aren't in it).

Exit status 1, and a line that says what wasn't held: 1.5 GiB in any row; from 100,000 pairs to the largest size, 10 % in
memory and 15 % in the cost of a pair; 1 KiB a shard; 16 MiB for the list; of crowded and hostile shards, that all that was
put into them was read, and the reasons for what isn't a pair.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

STAGES = ["pin", "score", "fit", "decide", "write"]
LIMIT = 1.5 * 2**30
# Of a pair, from 100,000 pairs to the largest size. Shared machines are noisy: four runs gave 0.95 to 1.07.
COST_LIMIT = 1.15
# Of a folder's shard, between the two numbers of shards: so many that a million stay below LIMIT.
SHARD_LIMIT = 1 << 10
# Of a command that is given a list of a million lines.
LIST_LIMIT = 16 * 2**20

# What is in the shards of Tests/Benchmarks/Scale: of a hostile one good pairs, images that are decoded, one that isn't an
# image and a member that is too large (HostileCorpus.swift); beside two crowded ones good pairs (CrowdedCorpus.swift).
HOSTILE_READ = 60 + 5 + 2
HOSTILE_REJECTED = ["image-unknown-format", "member-too-large"]
CROWDED_SHARDS, CROWDED_PAIRS = 2, 2000


def rss_anon(pid):
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


def run(command, status=0, **options):
    """Seconds of a command that ends as expected, the most anonymous memory that it took, and when."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, **options)
    peak, when = 0, 0.0
    while process.poll() is None:
        now = rss_anon(process.pid)
        if now > peak:
            peak, when = now, time.monotonic() - start
        time.sleep(0.01)
    if process.returncode != status:
        sys.exit(f"{' '.join(map(str, command))} ended with {process.returncode}")
    return time.monotonic() - start, peak, when


def clean(winnow, shards, ensemble, out, workers, nights=1):
    shutil.rmtree(out, ignore_errors=True)
    seconds, peak, when = run([winnow, "clean", shards, "--ensemble", ensemble, "--out", out, "--quiet"] + workers)
    manifest = json.loads((out / "manifest.json").read_text())
    ledger = manifest["ledger"]
    later = [run([winnow, "clean", shards, "--out", out, "--quiet"] + workers) for _ in range(1, nights)]
    shutil.rmtree(out)
    stages = {stage: manifest["timings"]["seconds"].get(stage, 0.0) for stage in STAGES}
    # What comes before the first stage is little.
    ends = [(sum(list(stages.values())[: i + 1]), stage) for i, stage in enumerate(STAGES)]
    return {
        "pairs": ledger["read"],
        "kept": ledger["kept"],
        "rejected": ledger["rejected"],
        "unreadable": ledger["unreadable"],
        "seconds": seconds,
        "peak": peak,
        "peak_stage": next((stage for end, stage in ends if when <= end), "end"),
        "stages": stages,
        "later": [{"seconds": seconds, "peak": peak} for seconds, peak, _ in later],
    }


def listed(winnow, lines, directory):
    """Bytes a line of what a command holds when it is given a list."""
    path, out = directory / "list.txt", directory / "listed"
    path.write_text("".join(f"/no/such/folder/part-{i // 1000:05d}/{i:08d}.tar\n" for i in range(lines)))
    peaks = {}
    for name, command, status in [
        ("inspect -", [winnow, "inspect", "-"], 3),
        ("train -", [winnow, "train", "-", "--out", out, "--quiet"], 1),
        ("clean -", [winnow, "clean", "-", "--out", out, "--quiet"], 1),
    ]:
        shutil.rmtree(out, ignore_errors=True)
        with path.open() as file:
            seconds, peak, _ = run(command, status, stdin=file, stderr=subprocess.DEVNULL)
        peaks[name] = peak
        print(f"{name:<22} {lines:>9,} {seconds:>8.1f}   {peak / 2**20:.0f} MiB, {peak / lines:.0f} bytes a line", flush=True)
    shutil.rmtree(out, ignore_errors=True)
    path.unlink()
    return peaks


def miscounted(name, row, read, rejected):
    """What a row counts otherwise than its shards were made; a pair may be a mismatch."""
    found = {reason: count for reason, count in row["rejected"].items() if reason != "mismatch"}
    for what, have, want in [
        ("samples read", row["pairs"], read),
        ("rejected", found, rejected),
        ("unreadable", row["unreadable"], {}),
    ]:
        if have != want:
            yield f"{name}: {what} are {have}, not {want}"


def show(name, row):
    pairs = max(1, row["pairs"])
    stages = " ".join(f"{1e6 * row['stages'][stage] / pairs:8.1f}" for stage in STAGES)
    print(
        f"{name:<22} {row['pairs']:>9,} {row['seconds']:>8.1f} {1e6 * row['seconds'] / pairs:>9.1f} {stages}"
        f" {row['peak'] / 2**20:>9.0f}  {row['peak_stage']}",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("winnow")
    parser.add_argument("bench_corpus")
    parser.add_argument("judges")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--sizes", default="1000,100000,1000000")
    parser.add_argument("--workers", help="threads; default: the cores")
    parser.add_argument("--hostile", type=int, default=8, help="shards full of bombs; 0 for none")
    parser.add_argument("--crowded", type=int, default=1_000_000, help="samples of each crowded shard; 0 for none")
    parser.add_argument("--shards", default="2000,20000", help="of one pair each, two numbers; empty for none")
    parser.add_argument("--lines", type=int, default=1_000_000, help="of a list of shards; 0 for none")
    parser.add_argument("--ensemble", help="other judges, for a row of their own ...")
    parser.add_argument("--corpus", help="... on these shards")
    arguments = parser.parse_args()
    sizes = [int(size) for size in arguments.sizes.split(",") if size]
    workers = ["--workers", arguments.workers] if arguments.workers else []
    directory = arguments.directory
    directory.mkdir(parents=True, exist_ok=True)
    shards, out = directory / "shards", directory / "out"

    def generate(*options):
        shutil.rmtree(shards, ignore_errors=True)
        subprocess.run([arguments.bench_corpus, *options, str(shards)], check=True)

    generate("generate", "--pairs", "1000")
    ensemble = directory / "judges"
    shutil.rmtree(ensemble, ignore_errors=True)
    run([arguments.winnow, "train", shards, "--pipeline", arguments.judges, "--out", ensemble, "--quiet"])

    heads = " ".join(f"{stage:>8}" for stage in STAGES)
    print(f"{'':<22} {'':>9} {'':>8} {'us a pair':>9} {'of which':>8}")
    print(f"{'corpus':<22} {'pairs':>9} {'seconds':>8} {'in all':>9} {heads} {'MiB anon.':>9}", flush=True)
    rows = {}

    def measure(name, shards, ensemble, nights=1, workers=workers):
        rows[name] = clean(arguments.winnow, shards, ensemble, out, workers, nights)
        show(name, rows[name])
        for night in rows[name]["later"]:
            print(f"{'':<22} {'the next night':>9} {night['seconds']:.1f} s, {night['peak'] / 2**20:.0f} MiB", flush=True)

    for size in sizes:
        generate("generate", "--pairs", str(size), "--from", "1000")
        measure(f"generated {size:,}", shards, ensemble)
    counts = [int(count) for count in arguments.shards.split(",") if count]
    for count in counts:
        generate("generate", "--pairs", str(count), "--from", "1000", "--shard-size", "1")
        measure(f"{count:,} shards", shards, ensemble, nights=2)
    expected = {}
    if arguments.crowded:
        generate("crowded", "--samples", str(arguments.crowded))
        measure("crowded", shards, ensemble)
        samples = CROWDED_SHARDS * arguments.crowded
        expected["crowded"] = (CROWDED_PAIRS + samples, {"unsafe-name": samples})
    if arguments.hostile:
        generate("hostile", "--shards", str(arguments.hostile))
        measure("hostile", shards, ensemble)
        print(f"{'':<22} rejected {rows['hostile']['rejected']}, unreadable {rows['hostile']['unreadable']}")
        bad = {reason: arguments.hostile for reason in HOSTILE_REJECTED}
        expected["hostile"] = (HOSTILE_READ * arguments.hostile, bad)
        if not arguments.workers:
            measure("hostile, 7 workers", shards, ensemble, workers=["--workers", "7"])
            expected["hostile, 7 workers"] = expected["hostile"]
    if arguments.ensemble and arguments.corpus:
        measure("given judges", arguments.corpus, arguments.ensemble)
        if arguments.hostile:
            measure("given judges, hostile", shards, arguments.ensemble)
            expected["given judges, hostile"] = expected["hostile"]
    shutil.rmtree(shards, ignore_errors=True)
    lists = listed(arguments.winnow, arguments.lines, directory) if arguments.lines else {}
    (directory / "summary.json").write_text(json.dumps(rows | {"lists": lists}, indent=2) + "\n")

    complaints = [f"{name} took {row['peak'] / 2**20:.0f} MiB" for name, row in rows.items() if row["peak"] >= LIMIT]
    for name, (read, rejected) in expected.items():
        complaints += miscounted(name, rows[name], read, rejected)
    large = [rows[f"generated {size:,}"] for size in sizes if size >= 100_000]
    if len(large) > 1:
        first, last = large[0], large[-1]
        growth = last["peak"] / first["peak"]
        cost = (last["seconds"] / last["pairs"]) / (first["seconds"] / first["pairs"])
        print(f"from {first['pairs']:,} to {last['pairs']:,} pairs: memory x {growth:.3f}, cost of a pair x {cost:.3f}")
        if not 0.9 <= growth <= 1.1:
            complaints.append(f"memory changes by {growth - 1:+.0%}")
        if cost > COST_LIMIT:
            complaints.append(f"a pair costs {cost:.2f} times as much; machines are noisy: if this one was, run again")
    if len(counts) == 2:
        few, many = (rows[f"{count:,} shards"] for count in counts)
        grown = {
            "a night": many["peak"] - few["peak"],
            "the next night": many["later"][0]["peak"] - few["later"][0]["peak"],
        }
        for name, more in grown.items():
            each = more / (counts[1] - counts[0])
            print(f"from {counts[0]:,} to {counts[1]:,} shards: {each:.0f} bytes a shard, {name}")
            if each > SHARD_LIMIT:
                complaints.append(f"a shard takes {each:.0f} bytes, {name}")
    for name, peak in lists.items():
        if peak > LIST_LIMIT:
            complaints.append(f"{name} took {peak / 2**20:.0f} MiB for {arguments.lines:,} lines")
    for complaint in complaints:
        print(f"not held: {complaint}")
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(main())
