"""LaMP-5: the title an author gives a paper; ROUGE-1 and ROUGE-L."""

from webfarer.evals.tasks._lamp import LaMP

task = LaMP("LaMP_5", "scholarly title", ("exact", "rouge"))
