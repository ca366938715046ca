"""Grounds: places that questions are made of; one file each, which defines `ground`."""
