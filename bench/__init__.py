"""Measurements of Jalon at national size and at twenty times that, as ratios in one run (``./jalon bench``).

Nothing here is part of the product: the data are random, live in a temporary folder and go with it. What is measured
is the product's own code, through its own addresses, engine, import and exports. ``README.md`` says what each figure is
measured against.
"""
