"""LaMP-7: a tweet in a person's own words; ROUGE-1 and ROUGE-L."""

from webfarer.evals.tasks._lamp import LaMP

task = LaMP("LaMP_7", "tweet paraphrase", ("exact", "rouge"))
