"""N resources of the provider in trigger.py."""

import os

from trigger import Trigger

for number in range(int(os.environ["BENCH_N"])):
    Trigger(f"run-{number:05}", "we59a9648e62e48ffb25e4b41f3721799", f"videos/{number:05}.mp4")
