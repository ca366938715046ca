"""Benchmarks: each runs both sides of its claim and writes a results file; one file each."""
