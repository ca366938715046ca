"""LaMP-1: which of two papers does an author cite; accuracy and F1 of "[1]" or "[2]"."""

from webfarer.evals.tasks._lamp import LaMP

task = LaMP("LaMP_1", "citation identification", ("labels",), ("[1]", "[2]"))
