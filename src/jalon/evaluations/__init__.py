"""Examens de contrats, campagnes d'évaluation, procédure contradictoire, classement qui s'explique."""
