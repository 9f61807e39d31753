"""Commands of Django that the core changes."""
