"""Performance contracts (*contrats de performance*): commitments of both sides, signature, life.

Negotiated in rounds between the State, local authorities and the governance body of the pôle, frozen
at signature, changed by amendments (*avenants*), followed by both sides under the same lights.
Basis: page "Contrats de performance" of the programme; article 24 of law 2004-1484.
"""
