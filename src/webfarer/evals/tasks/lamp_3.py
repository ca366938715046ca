"""LaMP-3: which rating, 1 to 5, goes with a person's review; mean absolute error and its root of squares."""

from webfarer.evals.tasks._lamp import LaMP

task = LaMP("LaMP_3", "product rating", ("labels", "error"), ("1", "2", "3", "4", "5"))
