"""N dynamic resources that do nothing: what the engine alone costs."""

import os

from idle import Idle

for number in range(int(os.environ["BENCH_N"])):
    Idle(f"run-{number:05}", f"videos/{number:05}.mp4")
