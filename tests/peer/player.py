"""A player of `cargo xtask bench`: computes when it is told to, and says how long it took (as tests/bin/speed.rs)."""

import sys
import time


def status(name):
    """A line of the system's account of this process in megabytes; 0 where there is none."""
    try:
        with open("/proc/self/status") as lines:
            kib = next(line.split()[1] for line in lines if line.startswith(name))
    except (OSError, StopIteration):
        return 0.0
    return int(kib) * 1024 / 1e6


def now():
    """Megabytes that this process holds; from here on the most is counted anew."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass
    return status("VmRSS:")


# seconds: a run that takes less only wakes caches and threads up, and is followed by those that count
LONG = 0.5
# how long these take together at least
TURN = 0.15


def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def milliseconds(work):
    """Of a run, the mean of a turn."""
    times = [timed(work)]
    if times[0] < LONG:
        times = []
        while sum(times) < TURN:
            times.append(timed(work))
    return sum(times) / len(times) * 1e3


def play(before, work):
    """Answers the lines on standard input; `before` is from `now`."""
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "go":
            print(milliseconds(work), flush=True)
        else:
            print(status("VmHWM:") - before, flush=True)
