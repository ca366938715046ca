"""Reasoning puzzles whose truth is known; one file each, which defines `puzzle`."""
