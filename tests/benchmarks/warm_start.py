"""How much faster a picture comes when its model is already loaded.

::

    OMP_NUM_THREADS=1 python -m tests.benchmarks.warm_start [ROUNDS]

Each round is a new process: its first picture is cold (libraries imported, weights read and
loaded), the next ones are warm. Prints one line of JSON: seconds of the processor, which
other work on the machine changes little, and of the clock. The queue is not in it.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys

CHILD = """
import json, time
started = time.perf_counter()

def now():
    return time.perf_counter() - started, time.process_time()

from imagepipe.generation.backends import get
from imagepipe.generation.request import ModelReference, Request

MODEL = ModelReference("pocket-objects", "fixtures/models/pocket-objects")
REQUEST = Request("a panda on a blue background", "pocket-objects", 7, 128, 128, steps=25,
                  guidance=4.0, guidance_rescale=0.7)
rounds = []
begin = (0.0, 0.0)
for picture in range(4):
    preview = []
    get("diffusers").generate(
        REQUEST, MODEL, lambda step, steps, image: image and preview.append(now())
    )
    end = now()
    rounds.append([[b - a for a, b in zip(begin, at)] for at in (preview[0], end)])
    begin = now()
print(json.dumps(rounds))
"""


def main(rounds: int) -> None:
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        answer = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", CHILD],
            capture_output=True,
            text=True,
            check=True,
        )
        cold, *warm = json.loads(answer.stdout)
        for name, pictures in (("cold", [cold]), ("warm", warm)):
            for preview, end in pictures:
                for what, (clock, cpu) in (("first preview", preview), ("picture", end)):
                    found.setdefault(f"{name} {what}, clock", []).append(clock)
                    found.setdefault(f"{name} {what}, cpu", []).append(cpu)
    result = {name: round(statistics.median(values), 3) for name, values in found.items()}
    for what in ("first preview", "picture"):
        for kind in ("cpu", "clock"):
            ratio = result[f"cold {what}, {kind}"] / result[f"warm {what}, {kind}"]
            result[f"cold / warm {what}, {kind}"] = round(ratio, 1)
    print(json.dumps(result))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
