"""Documents (*documents*): contracts, amendments and roadmaps as PDF and Word, fit to be signed and kept.

What a document says is built once (``contract.py``, ``amendment.py``, ``roadmap.py``) from plain blocks
(``blocks.py``); ``pdf.py`` and ``word.py`` only set them. The PDF declares PDF/A-2a (archive) and PDF/UA-1 (accessible).
"""
