"""Projets labellisés et appels à projets: calls, consortia, budgets, submission, outcomes."""
