"""Benchmarks: seeded instances, the paper's model beside ours on the same cores, one JSON and one table a suite.

Start at `run.py`; `docs/benchmarks.md` says what each figure means and what it does not.
"""
