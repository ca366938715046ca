"""Oracles: who gives labels; one file each, which defines `oracle`."""
