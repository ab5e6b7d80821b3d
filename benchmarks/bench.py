"""The quick form of the benchmarks, ten minutes at most on two idle cores: `make bench`, or some of them by name.

Each has a time limit; what it has printed until then stays. The full forms are `python benchmarks/NAME.py`.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

LIMITS = {"samplers": 60, "spiral": 110, "unet": 210, "growth": 100, "course": 120}  # seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(LIMITS)}; all by default")
    names = parser.parse_args().names or list(LIMITS)
    if unknown := set(names) - set(LIMITS):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(LIMITS)}.")
    failed = []
    for name in names:
        print(f"\n==== {name}, at most {LIMITS[name]} s", flush=True)
        began = time.monotonic()
        try:
            command = [sys.executable, Path(__file__).with_name(f"{name}.py"), "--quick"]
            if subprocess.run(command, timeout=LIMITS[name]).returncode:
                failed.append(name)
            print(f"({time.monotonic() - began:.0f} s)")
        except subprocess.TimeoutExpired:
            print(f"{name} was ended after {LIMITS[name]} s; what is missing: python benchmarks/{name}.py --quick")
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
