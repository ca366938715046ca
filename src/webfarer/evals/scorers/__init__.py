"""Scorers: how an answer is marked; one file each, which defines `scorer`."""
