"""Programme: reporting rounds (*campagnes de suivi*) and their calendar (*calendrier*).

A programme is a folder of the policy; what one exercise fixes (the day a round really opened or closed)
is a row here. Legal basis of the yearly duty: article 7 of the performance contracts of 2009.
"""
