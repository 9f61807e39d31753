"""Sélection des projets et comité des financeurs: instruction, scores, ranking, the financing table, decisions."""
