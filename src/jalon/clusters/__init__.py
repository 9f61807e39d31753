"""Clusters (*pôles de compétitivité*): who holds the label, who carries it, who belongs to it.

Label periods and their acts, tiers, territories, carriers, governance bodies, permanent teams,
State correspondents, members, names and successors. Legal basis: article 24 of the finance act for
2005 (law 2004-1484) and decree 2005-765 of 8 July 2005.
"""
