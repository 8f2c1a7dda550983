"""Python imports this before anything else, where PYTHONPATH names its folder: see host_points.py."""

import sys

if any("pulumi.dynamic" in argument for argument in sys.orig_argv):  # the program and the tools are left alone
    import host_points

    host_points.install()
