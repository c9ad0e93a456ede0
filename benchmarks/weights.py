"""How fast `berth-fetch` is beside a plain boto3 `download_file` of the same object, from a real S3 server on this machine.

    python -m benchmarks.weights [--megabytes 2000] [--pairs 5] [--out out/weights.json]

versitygw (built once, like the control plane's tools) serves one object of random bytes from a folder. In turns, so that what
else the machine does falls on both, a fresh process fetches it: `berth-fetch`, which hashes every byte, syncs and renames;
and `download_file`, which does none of that, or is followed by a sync alone. A process's wall time counts from its start to
its end, imports included; its memory is what the kernel says at its end (ru_maxrss). The ratio is the median over the pairs
of download_file's time by ours: 1.0 or more means that we are not slower.

Server, client and disk share the machine, so these are figures of CPU work and disk and not of a network. Cost: 7 GB of disk
for 2 GB, a minute and a half at five pairs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import msgspec

from benchmarks.record import Machine, this_machine
from berth_e2e import tools
from berth_operator.weights.manifest import manifest_of_folder
from berth_operator.weights.progress import Progress
from berth_operator.weights.push import push
from berth_operator.weights.s3 import make_client

BUCKET, PREFIX, NAME = "models", "big", "weights.safetensors"
START_SECONDS = 20.0
PLAIN = "import boto3, sys; boto3.client('s3').download_file(*sys.argv[1:4])"
SYNCED = PLAIN + "; import os; f = os.open(sys.argv[3], os.O_RDWR); os.fsync(f)"


class Run(msgspec.Struct, frozen=True):
    seconds: float
    cpu_seconds: float
    peak_mib: float


class Report(msgspec.Struct, frozen=True):
    machine: Machine
    megabytes: int
    fetch: list[Run]
    plain: list[Run]
    plain_synced: list[Run]
    hash_seconds_per_gb: float
    ratio: float
    ratio_synced: float


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=2000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("out/weights.json"))
    parser.add_argument("--folder", type=Path, help="on the disk to measure; default: the system's temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as made:
        report = measure(Path(made), options.megabytes, options.pairs)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    print(table(report))
    return 0


def measure(folder: Path, megabytes: int, pairs: int) -> Report:
    model = folder / "model"
    model.mkdir()
    with (model / NAME).open("wb") as out:
        for _ in range(megabytes):
            out.write(os.urandom(10**6))
    began = time.perf_counter()
    manifest_of_folder(model)
    hashing = (time.perf_counter() - began) / (megabytes / 1000)
    with serving(folder) as url:
        os.environ["AWS_ENDPOINT_URL"] = url
        client = make_client(url)
        client.create_bucket(Bucket=BUCKET)
        push(model, BUCKET, PREFIX, client, Progress(sys.stderr))
        (model / NAME).unlink()
        os.sync()
        cache, plain = folder / "cache", folder / "plain"
        fetch = [sys.executable, "-m", "berth_operator.weights.main", f"s3://{BUCKET}/{PREFIX}", "--cache", str(cache)]
        rest = [BUCKET, f"{PREFIX}/{NAME}", str(plain)]
        ours: list[Run] = []
        theirs: list[Run] = []
        synced: list[Run] = []
        turns = [
            (ours, fetch),
            (theirs, [sys.executable, "-c", PLAIN, *rest]),
            (synced, [sys.executable, "-c", SYNCED, *rest]),
        ]
        for number in range(pairs):
            for runs, command in turns if number % 2 == 0 else reversed(turns):
                runs.append(timed(command))
                shutil.rmtree(cache, ignore_errors=True)
                plain.unlink(missing_ok=True)
                os.sync()
    return Report(
        this_machine(), megabytes, ours, theirs, synced, round(hashing, 3), ratio(theirs, ours), ratio(synced, ours)
    )


def ratio(theirs: list[Run], ours: list[Run]) -> float:
    return round(median(their.seconds / our.seconds for their, our in zip(theirs, ours, strict=True)), 3)


def timed(command: list[str]) -> Run:
    began = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{command} ended with {child.returncode}")
    return Run(round(seconds, 3), round(used.ru_utime + used.ru_stime, 3), round(used.ru_maxrss / 1024, 1))


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The URL of an S3 server over a folder; credentials for it in the environment."""
    binary = tools.built_alone(tools.VERSITYGW) / "versitygw"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark-secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    (folder / "s3").mkdir()
    root = {"ROOT_ACCESS_KEY": "benchmark", "ROOT_SECRET_KEY": "benchmark-secret"}
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [binary, "--port", f"127.0.0.1:{port}", "posix", str(folder / "s3")],
            env={**os.environ, **root},
            stdout=log,
            stderr=log,
        )
    try:
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if time.monotonic() > until or server.poll() is not None:
                    raise RuntimeError((folder / "server.log").read_text()[-2000:]) from None
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def table(report: Report) -> str:
    lines = [
        "| | seconds, median (least to most) | CPU seconds | MB/s | peak RSS, MiB |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, runs in (
        ("berth-fetch", report.fetch),
        ("download_file", report.plain),
        ("download_file, then fsync", report.plain_synced),
    ):
        seconds = sorted(run.seconds for run in runs)
        middle = median(seconds)
        lines.append(
            f"| {name} | {middle:.2f} ({seconds[0]:.2f} to {seconds[-1]:.2f}) | {median(run.cpu_seconds for run in runs):.2f} "
            f"| {report.megabytes / middle:.0f} | {max(run.peak_mib for run in runs):.0f} |"
        )
    lines.append(f"\nthroughput ratio {report.ratio} (to the synced one {report.ratio_synced}); ")
    lines.append(f"hashing alone {report.hash_seconds_per_gb} s per GB")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
