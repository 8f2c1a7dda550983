"""N dynamic resources that do nothing: what the engine alone costs.

With BENCH_VALUES each has so many values more, of BENCH_LENGTH characters, in one map.
"""

import os

from idle import Idle

values, length = (int(os.environ.get(name, 0)) for name in ("BENCH_VALUES", "BENCH_LENGTH"))
more = {"padding": {f"{number:02}": "x" * length for number in range(values)}} if values else {}
for number in range(int(os.environ["BENCH_N"])):
    Idle(f"run-{number:05}", f"videos/{number:05}.mp4", **more)
