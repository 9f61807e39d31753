"""Examens et évaluations: reviews of contracts, campaigns, grids, the contradictory procedure, classification."""
