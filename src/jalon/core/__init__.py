"""Core: the few tools that every other package shares.

Journal (*journal des actes*), clock, language pairs, refusals, money, periods, files, outbox.
It knows nothing of clusters or contracts.
"""
