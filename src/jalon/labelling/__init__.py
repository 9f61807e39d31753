"""Labellisation des projets par les pôles: each pôle's own procedure, opinions, votes, the register of labels."""
