"""N dynamic resources that do nothing, with their provider in the program, as Pulumi's documentation has it.

Then the provider is pickled by value, as a secret, into the inputs and outputs of each resource.
"""

import os

from pulumi import dynamic


class Nothing(dynamic.ResourceProvider):
    def create(self, props):
        return dynamic.CreateResult(props["key"], props)


class Idle(dynamic.Resource):
    def __init__(self, name, key):
        super().__init__(Nothing(), name, {"key": key})


for number in range(int(os.environ["BENCH_N"])):
    Idle(f"run-{number:05}", f"videos/{number:05}.mp4")
