"""In the place of pip for the engine of a test, which asks for the installed packages at each command.

It looks for plugins among them, and finds none (tests/setup/test_project_files.py sees to that). The real pip takes a
fifth of an `up`'s processor time for the answer. What users do is tried with the real one: tests/demo, tests/packaging.
"""
