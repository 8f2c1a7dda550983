"""The track record: each breach of the promise that there was, put back by a small patch, must be found again.

This is how we know that the campaigns reach what matters. `make track-record` runs it; README.md has the results.
"""
