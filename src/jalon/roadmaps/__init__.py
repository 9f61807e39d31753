"""Strategic roadmaps (*feuilles de route stratégiques*): sections, fields, objectives, action plan.

Written by the pôle for three to five years, validated by the State, frozen and annexed to the
performance contract. Basis: page "Contrats de performance" of the programme (phase 2).
"""
