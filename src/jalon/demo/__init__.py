"""Demonstration (*démonstration*): simulated members, teams, contracts and reports on the real register.

Everything made here is drawn from a seed, calibrated on published national aggregates (``national_figures.yaml``),
and flagged as simulated in the database and wherever it shows. It uses the same acts as officers do.
"""
