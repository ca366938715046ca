"""LaMP-2: which tag does a person give a film; accuracy and macro F1 over fifteen tags (the movie version, 2M)."""

from webfarer.evals.tasks._lamp import LaMP

_TAGS = (
    *("sci-fi", "based on a book", "comedy", "action", "twist ending", "dystopia", "dark comedy", "classic"),
    *("psychology", "fantasy", "romance", "thought-provoking", "social commentary", "violence", "true story"),
)

task = LaMP("LaMP_2", "movie tagging", ("labels",), _TAGS)
