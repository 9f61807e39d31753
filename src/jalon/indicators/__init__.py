"""Indicators (*indicateurs de suivi et de résultat*): observations, calculation, provenance.

The catalogue is policy; what was observed, by whom it was declared and validated, and what records
tell by calculation is here. Legal basis of the yearly supply: article 7 of the performance contracts.
"""
