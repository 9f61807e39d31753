"""Pages of declarations: what I declared, what I am asked to declare."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from jalon.core import clock
from jalon.core.errors import NotAllowed, Refused
from jalon.core.lang import T
from jalon.interests import actions, queries, states
from jalon.interests.forms import DeclareForm
from jalon.ui.http import page


@login_required
@never_cache
@page
def mine(request: HttpRequest) -> HttpResponse:
    """What I declared, what waits, how many recusals others asked for."""
    rows, unheard = queries.declarations(request.actor.user_id)
    about = queries.subjects({row.case for row in rows})
    return render(
        request,
        "interests/mine.html",
        {
            "title": T("Mes déclarations d'intérêts", "My declarations of interests"),
            "waiting_cases": queries.waiting(request.actor, clock.today()),
            "rows": [
                {
                    "row": row,
                    "subject": about.get(row.case),
                    "stance": states.STANCES[row.stance],
                    "tone": "warn" if row.stance == "interest" else "quiet",
                    "current": row.superseded_at is None,
                }
                for row in rows
            ],
            "unheard": unheard,
        },
    )


@login_required
@never_cache
@page
def declare(request: HttpRequest, case: str) -> HttpResponse:
    """Declare on one case: shows what is needed to judge, and nothing of its content."""
    actor, today = request.actor, clock.today()
    rows, _ = queries.declarations(request.actor.user_id)
    subject = next((s for s in queries.asked(actor, today) if s.case == case), None)
    current = next((row for row in rows if row.case == case and row.superseded_at is None), None)
    if subject is None and current is not None:
        subject = queries.subjects([case]).get(case)
    if subject is None:
        raise Http404
    initial = {"stance": current.stance, "reason": current.reason} if current else {}
    form = DeclareForm(request.POST or None, initial=initial)
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            row = actions.declare(
                case,
                form.cleaned_data["stance"],
                by=actor,
                on=today,
                reason=form.cleaned_data["reason"],
                linked=subject.linked(actor),
            )
        except NotAllowed:
            raise
        except Refused as error:
            refusal = error
        else:
            if row.stance == "none":
                messages.success(
                    request, T("Déclaration enregistrée : le dossier s'ouvre.", "Declared: the file opens.")
                )
                return redirect(subject.url or reverse("my-interests"))
            messages.success(
                request,
                T(
                    "Vous êtes déporté de ce dossier : il n'apparaît plus nulle part pour vous.",
                    "You are recused from this case: it shows nowhere to you any more.",
                ),
            )
            return redirect("my-interests")
    return render(
        request,
        "interests/declare.html",
        {
            "title": T("Déclarer mes intérêts", "Declare my interests"),
            "subject": subject,
            "linked": subject.linked(actor),
            "current": current,
            "form": form,
            "refusal": refusal,
            "breadcrumb": [
                {"url": reverse("my-interests"), "label": T("Mes déclarations", "My declarations")},
                {"url": None, "label": subject.title},
            ],
        },
        status=400 if refusal or form.errors else 200,
    )
