"""Drafters: one file each, found by name; `Drafter` is what a file defines. See :mod:`webfarer.engine.drafting`."""
