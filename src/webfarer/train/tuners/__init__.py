"""Tuners: which parameters are trained, and what keeps them small; one file each, which defines `tuner`."""
