"""Hostile input: what a broken or evil service, or a value in a program, could do to us.

`answers.py` makes bad answers from a source of random choices, `systems.py` runs every call of every client against
them, and `oracle.py` says what must hold whatever came. The tests draw the choices from hypothesis;
`python -m tests.hostile --seconds N --seed S` draws them from a seed for as long as one likes.
"""
