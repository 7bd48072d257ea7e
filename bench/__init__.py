"""Measures the store as it is operated: gunicorn, a worker, a fresh database, visitors on loopback.

`python -m bench` runs everything and writes docs/performance.md; `python -m bench.orders` and its
neighbours run one part and only print.
"""
