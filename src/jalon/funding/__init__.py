"""Conventions, paiements et financement relais: agreements, instalments, claims, payments, recovery, bank bridge."""
