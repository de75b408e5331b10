"""Sources: who says what firmware costs."""
