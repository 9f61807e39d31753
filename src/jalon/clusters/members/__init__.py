"""Members of a cluster (*adhérents*): who belongs to it, from when to when, with which type and college.

Lists arrive as spreadsheets, are judged row by row against the register, and are written only once accepted; they
leave in the same shape. Official identifiers come first, names second, likeness is proposed and never decided.
"""
