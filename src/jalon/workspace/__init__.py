"""The signed-in workspace (*espace de travail*): home, search, journal and proof, policy page.

Pages that join several domains: what waits for somebody, their deadlines, what changed since their last visit, who did
what and when. It reads; acts are those of the packages below.
"""
