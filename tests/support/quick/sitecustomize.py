"""For the interpreters of a test's engine: a program and a host that live for a second have no use for Python's cycle
collector, which takes a tenth of their imports' time. What users do is tried with it: tests/demo, tests/packaging.
"""

import gc

gc.disable()
