"""Training: pupils raised from nothing on generated exams."""
