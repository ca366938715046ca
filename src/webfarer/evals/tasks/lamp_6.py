"""LaMP-6: the subject a person gives an e-mail; ROUGE-1 and ROUGE-L. The mails (Avocado) are licensed apart."""

from webfarer.evals.tasks._lamp import LaMP

task = LaMP("LaMP_6", "e-mail subject", ("exact", "rouge"))
