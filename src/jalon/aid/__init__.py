"""Aides d'État (State aid): intensities, thresholds, cumulation, firm size for aid, *de minimis*, aid to the cluster itself."""
