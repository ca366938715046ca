"""Generated websites whose truth is known: facts, the pages that hold them, the shortest click paths."""
