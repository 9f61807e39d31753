"""The public site (*portail*): home with its map, register, one page per cluster, national decisions, open data.

It only reads. Everything is public, needs no account and no JavaScript, and every page answers for the day asked.
"""
