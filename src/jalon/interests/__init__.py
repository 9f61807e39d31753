"""Déclarations d'intérêts (*liens d'intérêts*, *déport*): who may not see or decide a case, declared before it opens.

A case is named as the journal names it (``project:<slug>``). A recusal is personal and holds everywhere, so every
package that shows, lists, finds, exports, counts or mails something about a case asks :mod:`jalon.interests.access`:

* ``exclude_recused(actor, queryset, "project:slug")``: a list, search or export without the cases from which the
  actor is recused (``"project:partner__project__slug"`` where the case stands behind a relation);
* ``without_recused(actor, rows, case_of)``: the same for rows already read;
* ``require_not_recused(actor, case)``: a page of one case; ``require_declared(actor, case)``: a page or act of those
  who assess (experts, committees, deciders, a pôle asked for a label), who must have declared to have no interest;
* ``recipients(case, users)``: those to whom a message about the case may go;
* ``recused_keys(actor.user_id, "project")``: the keys to keep out of the journal (``hidden_for``), feeds and counts.

The journal's rows of ``project:<slug>`` are hidden from the recused by this package; a package whose cases belong to a
project (``labelling:<slug>/…``) hides its own by ``recused_keys``. Whoever asks people to declare gives
``to_declare(actor, day)`` and ``subjects(cases)`` in its ``desk`` (:mod:`jalon.interests.queries`): the task at home and
the page of the declaration follow.
"""
