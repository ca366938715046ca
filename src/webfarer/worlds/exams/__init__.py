"""Exams answered in one long output; one file each, which defines `exam`."""
