"""Aides d'État (State aid): intensities, thresholds, cumulation, firm size for aid, *de minimis*, aid to the cluster itself.

What higher packages use, and may rely on:

- :func:`jalon.aid.rules.intensity` ``(policy, research, size, bonuses, day)``: the highest rate of article 25, and why;
- :func:`jalon.aid.rules.check_ceilings` ``(policy, lines, day)``: all public money per partner and research category
  against its ceiling; ``lines`` are :class:`jalon.aid.rules.Line`;
- :func:`jalon.aid.rules.check_plans` ``(policy, plans, day)``: the same where money is not split by category (a financing
  table: one amount per partner and funder); ``plans`` are :class:`jalon.aid.rules.Plan`;
- :func:`jalon.aid.rules.collaboration` ``(policy, members, day)``: whether a consortium collaborates effectively, for the bonus;
- :func:`jalon.aid.rules.notification`, :func:`jalon.aid.rules.publication`, :func:`jalon.aid.rules.de_minimis`;
- :func:`jalon.aid.queries.size_at` ``(organisation, day)``: the EU size with its evidence, and the French one beside it;
- :func:`jalon.aid.queries.undertaking` ``(organisation, day)``: the single undertaking of *de minimis*;
- :func:`jalon.aid.actions.record_award`, :func:`jalon.aid.actions.withdraw_award`: the ledger.

Rules are pure: they take the policy, plain values and a day. When no rule set is in force on the day they raise
:class:`jalon.aid.rules.NoRules` (a :class:`jalon.core.errors.Refused`) with a sentence; a caller that may go on without a
verdict catches it and shows the sentence.
"""
