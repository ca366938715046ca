"""Pools: unlabelled items of one kind, with an answer key apart; one file each, which defines `pool`."""
