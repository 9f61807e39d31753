"""People: organisations (*organismes*), users (*utilisateurs*), roles and mandates (*rôles et mandats*).

Companies, laboratories, authorities, State services and carriers of pôles on official identifiers;
users who act for them under a role of the policy, with delegations that end. Legal basis of the
identifiers: SIREN and SIRET, Code de commerce R. 123-220 and following.
"""
