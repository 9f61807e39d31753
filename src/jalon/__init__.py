"""Jalon: runs a cluster policy from end to end.

The first programme is the French one, the *pôles de compétitivité*. A *jalon* is the pole
that a surveyor plants to mark a course.
"""

__version__ = "0.1.0"
