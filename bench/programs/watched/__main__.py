"""Runs watched.py and writes into $BENCH_TOLD how many outputs were made, and the time of Pulumi's wait for them.

Only the steps of the wait itself are timed, in processor time of this thread; a profiler would double all of it.
"""

import atexit
import json
import os
import runpy
import time
from pathlib import Path

from pulumi import Output
from pulumi.runtime import stack

told = {"outputs": 0, "waiting_cpu": 0.0}
atexit.register(lambda: Path(os.environ["BENCH_TOLD"]).write_text(json.dumps(told)))
made, wait = Output.__init__, stack.wait_for_rpcs


def count(self, *args, **more):
    told["outputs"] += 1
    made(self, *args, **more)


class Timed:
    def __await__(self):
        steps = wait().__await__()
        while True:
            began = time.thread_time()
            try:
                future = next(steps)
            except StopIteration:
                return
            finally:
                told["waiting_cpu"] += time.thread_time() - began
            yield future


Output.__init__, stack.wait_for_rpcs = count, Timed
runpy.run_path("watched.py", run_name="__main__")
