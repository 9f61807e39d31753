"""Policy as data (*la politique, écrite comme des données*).

Reads and checks the folders under ``policies/``: one folder per programme, one file per subject,
every value dated, with its unit and the text it comes from. Pure Python; knows no database.

    policy = load(programmes()["fr-poles-de-competitivite"])
    policy.on(date(2010, 6, 30)).evaluations.mid_term_review_after   # 18 (months)
"""

from jalon.policy.faults import Fault, NoValueInForce, PolicyFaults, UnknownParameter
from jalon.policy.formula import Formula, FormulaError
from jalon.policy.loader import load, programmes
from jalon.policy.policy import Policy, PolicyDay

__all__ = [
    "Fault",
    "Formula",
    "FormulaError",
    "NoValueInForce",
    "Policy",
    "PolicyDay",
    "PolicyFaults",
    "UnknownParameter",
    "load",
    "programmes",
]
