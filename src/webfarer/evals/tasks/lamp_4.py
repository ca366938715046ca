"""LaMP-4: the headline a journalist gives an article; ROUGE-1 and ROUGE-L."""

from webfarer.evals.tasks._lamp import LaMP

task = LaMP("LaMP_4", "news headline", ("exact", "rouge"))
