"""Décisions sur les labels, sélection de nouveaux pôles, changement de phase, rejeu: what the control leads to."""
