"""Pages of sign-in, accounts, people and organisations: parse, call one act or read, render."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.tokens import default_token_generator
from django.core.cache import cache
from django.core.paginator import Paginator
from django.db.models import Count, Max, Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.encoding import force_str
from django.utils.http import urlsafe_base64_decode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from jalon.core import clock
from jalon.core.errors import NotAllowed, Refused
from jalon.core.lang import T
from jalon.core.models import JournalEntry, OutboxMessage, Source, as_known_on
from jalon.core.sheets import Column
from jalon.people import access, actions, forms, rules
from jalon.people.access import policy
from jalon.people.middleware import LANGUAGE_COOKIE, MANDATE_KEY, TOUCHED_KEY
from jalon.people.models import Identifier, Invitation, Merge, NotDuplicate, Organisation, User
from jalon.people.queries import (
    colleagues,
    current,
    demonstration_accounts,
    mandates_read,
    open_invitations,
    organisations,
    person_rows,
    role_of,
    size_category_on,
    sizes_on,
)
from jalon.ui.http import acts, export, page, safe_next, wants

YEAR = 365 * 24 * 3600


def place_of(request: HttpRequest) -> str:
    """The network address of the caller; behind the HTTPS proxy, the one that the proxy itself wrote."""
    if settings.HTTPS and (forwarded := request.headers.get("X-Forwarded-For")):
        return forwarded.split(",")[-1].strip()
    return request.META.get("REMOTE_ADDR", "")


def _home() -> str:
    try:
        return reverse("home")
    except NoReverseMatch:
        return "/"


def signed_in_only(request: HttpRequest) -> None:
    if not request.user.is_authenticated:
        raise NotAllowed(T("Connectez-vous pour voir cette page.", "Sign in to see this page."))


# --- signing in and out ------------------------------------------------------------------------------------------


def _enter(request: HttpRequest, user: User) -> HttpResponse:
    """Open the session under a new key, remember the visit, and go where the visitor wanted."""
    target = safe_next(request, _home())
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    request.session[TOUCHED_KEY] = int(clock.real_now().timestamp())
    actions.note_visit(user, at=clock.now())
    response = HttpResponseRedirect(target)
    if LANGUAGE_COOKIE not in request.COOKIES:
        _keep_language(response, user.language)
    return response


def _keep_language(response: HttpResponse, code: str) -> None:
    response.set_cookie(
        LANGUAGE_COOKIE, code, max_age=YEAR, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE, httponly=True
    )


@sensitive_post_parameters("password")
@never_cache
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign in by e-mail and password; in the demonstration, one account per role in one click."""
    form = forms.SignIn(request.POST if request.method == "POST" else None)
    refusal = None
    status = 200
    if request.method == "POST":
        status = 400
        email, place = request.POST.get("email", "").strip().lower(), place_of(request)
        if form.is_valid():
            if actions.is_locked(email, place):
                status = 429
                refusal = Refused(
                    T(
                        "Trop d'essais : la connexion est suspendue pendant {n} minutes. Vous pouvez demander un "
                        "nouveau mot de passe.",
                        "Too many attempts: signing in is suspended for {n} minutes. You can ask for a new password.",
                        n=rules.LOCK_MINUTES,
                    )
                )
            else:
                user = authenticate(request, username=email, password=form.cleaned_data["password"])
                if user is not None:
                    actions.forget_failures(email)
                    return _enter(request, user)
                actions.note_failure(email, place)
                refusal = Refused(
                    T(
                        "Adresse ou mot de passe inexact. Les majuscules comptent dans le mot de passe.",
                        "Wrong address or password. Capitals count in the password.",
                    )
                )
    elif request.user.is_authenticated and request.GET.get("next"):
        return HttpResponseRedirect(safe_next(request, _home()))
    accounts = demonstration_accounts() if clock.is_demonstration() else []
    if accounts:  # the accounts come first: the page must not jump to the form below them
        form.fields["email"].widget.attrs.pop("autofocus", None)
    context = {
        "title": T("Se connecter", "Sign in"),
        "form": form,
        "refusal": refusal,
        "accounts": accounts,
        "next": safe_next(request, ""),
    }
    return render(request, "people/sign_in.html", context, status=status)


@acts
def demonstration_sign_in(request: HttpRequest) -> HttpResponse:
    """One click opens an account of the demonstration; it does not exist anywhere else."""
    if not clock.is_demonstration():
        raise Http404
    account = User.objects.filter(is_active=True, demo_role=request.POST.get("role", "")).exclude(demo_role="")
    user = account.order_by("id").first()
    if user is None:
        raise Http404
    request.session.flush()
    return _enter(request, user)


@acts
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("/")


@never_cache
def keep_session(request: HttpRequest) -> HttpResponse:
    """Prolong the session of whoever is still writing."""
    if not request.user.is_authenticated:
        return JsonResponse({"signed_in": False}, status=401)
    request.session.modified = True
    return JsonResponse({"signed_in": True})


@page
@never_cache
def ask_password(request: HttpRequest) -> HttpResponse:
    """Ask for the address where a new password is chosen; the answer never tells whether an account exists."""
    form = forms.AskPassword(request.POST if request.method == "POST" else None)
    sent = False
    if request.method == "POST" and form.is_valid():
        email, place = form.cleaned_data["email"].lower(), place_of(request)
        # counted apart from sign-in: asking does not lock the account's own sign-in
        if not actions.is_locked(f"password:{email}", place):
            actions.note_failure(f"password:{email}", place)
            actions.ask_new_password(
                email,
                on=clock.today(),
                address=lambda uid, token: request.build_absolute_uri(reverse("new-password", args=[uid, token])),
            )
        sent = True
    context = {
        "title": T("Choisir un nouveau mot de passe", "Choose a new password"),
        "form": form,
        "sent": sent,
        "mail": bool(settings.MAIL_URL),
    }
    return render(request, "people/ask_password.html", context, status=400 if form.errors else 200)


@sensitive_post_parameters("password")
@never_cache
def new_password(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """Choose a new password from the address sent by e-mail (valid once, for some hours)."""
    try:
        user = User.objects.filter(pk=force_str(urlsafe_base64_decode(uid)), is_active=True).first()
    except (ValueError, OverflowError):
        user = None
    valid = user is not None and default_token_generator.check_token(user, token)
    form = forms.NewPassword(request.POST if request.method == "POST" else None)
    refusal = None
    if valid and request.method == "POST" and form.is_valid():
        try:
            actions.set_password(user, form.cleaned_data["password"], on=clock.today())
        except Refused as refused:
            refusal = refused
        else:
            messages.success(
                request,
                T("Votre mot de passe est choisi. Connectez-vous avec lui.", "Your password is set. Sign in with it."),
            )
            return redirect("sign-in")
    context = {"title": T("Nouveau mot de passe", "New password"), "form": form, "valid": valid, "refusal": refusal}
    response = render(
        request,
        "people/new_password.html",
        context,
        status=404 if not valid else 400 if refusal or form.errors else 200,
    )
    response["Referrer-Policy"] = "same-origin"
    return response


@sensitive_post_parameters("password")
@never_cache
def accept(request: HttpRequest, token: str) -> HttpResponse:
    """Accept an invitation: name and password for a new account, one button for an account that exists."""
    day = clock.today()
    context: dict[str, Any] = {"title": T("Invitation", "Invitation")}
    status = 200
    try:
        invitation = actions.invitation_of(token, on=day)
    except Refused as refusal:
        context["refusal"] = refusal
        response = render(request, "people/accept.html", context, status=404)
        response["Referrer-Policy"] = "same-origin"
        return response
    account = User.objects.filter(email=invitation.email).first()
    mine = account is not None and request.user.is_authenticated and request.user.pk == account.pk
    form = forms.Accept(
        request.POST if request.method == "POST" and not mine else None, initial={"name": invitation.name}
    )
    if request.method == "POST" and (mine or form.is_valid()):
        data = {"name": "", "password": ""} if mine else form.cleaned_data
        try:
            user = actions.accept_invitation(
                token, name=data["name"], password=data["password"], on=day, user=request.user if mine else None
            )
        except Refused as refusal:
            context["refusal"], status = refusal, 400
        else:
            messages.success(
                request,
                T(
                    "Vous agissez maintenant pour {name}.",
                    "You now act for {name}.",
                    name=invitation.organisation.name,
                ),
            )
            return redirect(_home()) if mine else _enter(request, user)
    elif form.errors:
        status = 400
    context |= {
        "invitation": invitation,
        "role": role_of(invitation.role),
        "form": form,
        "account": account,
        "mine": mine,
    }
    context.pop("account")  # base.html reads a key of that name
    context["has_account"] = account is not None
    response = render(request, "people/accept.html", context, status=status)
    response["Referrer-Policy"] = "same-origin"
    return response


@acts
def set_language(request: HttpRequest) -> HttpResponse:
    """Answer in French or English from now on; kept with the account of whoever is signed in."""
    code = request.POST.get("language", "")
    if code not in actions.LANGUAGES:
        raise Refused(T("Les langues sont fr et en.", "The languages are fr and en."), kind="input")
    response = HttpResponseRedirect(safe_next(request, "/"))
    _keep_language(response, code)
    if request.user.is_authenticated and request.user.language != code:
        User.objects.filter(pk=request.user.pk).update(language=code)
    return response


@acts
def travel(request: HttpRequest) -> HttpResponse:
    """Move the demonstration to another day; it does not exist anywhere else."""
    if not clock.is_demonstration():
        raise Http404
    day = forms.parsed_day(request.POST.get("day"))
    if day is None:
        raise Refused(
            T("Le jour est attendu sous la forme AAAA-MM-JJ.", "The day is expected as YYYY-MM-DD."), kind="input"
        )
    actions.travel(day, by=request.actor, on=clock.today())
    return HttpResponseRedirect(safe_next(request, "/"))


# --- my account --------------------------------------------------------------------------------------------------


@page
@never_cache
def my_account(request: HttpRequest) -> HttpResponse:
    """My data: what is kept about me, why and until when; my preferences; my calendar's address."""
    signed_in_only(request)
    user, day = request.user, clock.today()
    rows = person_rows(mandates_read().filter(user=user), day)
    acts_done = JournalEntry.objects.filter(user_id=user.id)
    if request.GET.get("format") == "json":
        return _my_data(user, rows, acts_done)
    initial = {"name": user.name, "language": user.language, "reminders": user.reminders}
    form = forms.Preferences(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        actions.change_preferences(user, by=request.actor, on=day, **form.cleaned_data)
        messages.success(request, T("Vos réglages sont enregistrés.", "Your settings are saved."))
        response = redirect("my-account")
        _keep_language(response, form.cleaned_data["language"])
        return response
    context = {
        "title": T("Mon compte et mes données", "My account and my data"),
        "form": form,
        "person": user,
        "rows": rows,
        "delegated": person_rows(mandates_read().filter(delegated_from__user=user), day),
        "acts_count": acts_done.count(),
        "calendar": request.build_absolute_uri(_calendar_path(user)) if _calendar_path(user) else "",
    }
    return render(request, "people/my_account.html", context, status=400 if form.errors else 200)


def _calendar_path(user: User) -> str:
    from jalon.people.calendars import token_of

    try:
        return reverse("calendar-feed", args=[token_of(user)])
    except NoReverseMatch:
        return ""


def _my_data(user: User, rows: list[Any], acts_done: Any) -> HttpResponse:
    """Everything kept about one account, as the law lets its holder ask."""
    data = {
        "account": {
            "email": user.email,
            "name": user.name,
            "language": user.language,
            "reminders": user.reminders,
            "created_at": user.created_at,
            "last_visit": user.visit_at,
            "previous_visit": user.previous_visit_at,
            "simulated": user.simulated,
        },
        "mandates": [
            {
                "organisation": r.mandate.organisation.name,
                "role": r.mandate.role,
                "starts_on": r.mandate.starts_on,
                "ends_on": r.mandate.ends_on,
                "revoked_at": r.mandate.revoked_at,
                "delegated_from": r.mandate.delegated_from.user.name if r.mandate.delegated_from else None,
                "reason": r.mandate.reason,
            }
            for r in rows
        ],
        "acts": [
            {"at": e.at, "act": e.act, "case": e.case, "organisation": e.organisation_label, "why": e.why}
            for e in acts_done.order_by("id").iterator(chunk_size=1000)
        ],
    }
    response = JsonResponse(data, json_dumps_params={"ensure_ascii": False, "indent": 1})
    response["Content-Disposition"] = 'attachment; filename="mes-donnees.json"'
    return response


@acts
def act_for(request: HttpRequest) -> HttpResponse:
    """Act under another of one's mandates."""
    signed_in_only(request)
    wanted = request.POST.get("mandate", "")
    chosen = next((m for m in request.mandates if str(m.id) == wanted), None)
    if chosen is None:
        raise Refused(T("Ce mandat n'est pas en vigueur.", "This mandate is not in force."))
    request.session[MANDATE_KEY] = chosen.id
    messages.info(
        request,
        T(
            "Vous agissez pour {name} : {role}.",
            "You act for {name}: {role}.",
            name=chosen.organisation.name,
            role=getattr(role_of(chosen.role), "title", chosen.role),
        ),
    )
    return HttpResponseRedirect(_home())


@acts
def renew_calendar(request: HttpRequest) -> HttpResponse:
    signed_in_only(request)
    actions.renew_calendar_address(request.user, by=request.actor, on=clock.today())
    messages.success(
        request,
        T(
            "L'agenda a une nouvelle adresse ; l'ancienne ne répond plus.",
            "The calendar has a new address; the old one no longer answers.",
        ),
    )
    return redirect("my-account")


@acts
def close_my_account(request: HttpRequest) -> HttpResponse:
    signed_in_only(request)
    actions.deactivate(request.user, by=request.actor, on=clock.today(), why=request.POST.get("why", ""))
    logout(request)
    messages.success(request, T("Votre compte est fermé.", "Your account is closed."))
    return redirect("/")


# --- people ------------------------------------------------------------------------------------------------------


@page
@never_cache
def people(
    request: HttpRequest, invite_form: Any = None, delegate_form: Any = None, refusal: Any = None
) -> HttpResponse:
    """People who act for my organisation (for everybody, at the national level): mandates, invitations, delegations."""
    actor, day = request.actor, clock.today()
    signed_in_only(request)
    national = access.manages_nationally(actor)
    if not national:
        access.may_see_people(actor, actor.organisation_id)
    organisation = _chosen_organisation(request) if national else Organisation.objects.get(pk=actor.organisation_id)
    found = mandates_read()
    if organisation is not None:
        found = found.filter(organisation=organisation)
    if q := request.GET.get("q", "").strip():
        found = found.filter(
            Q(user__name__icontains=q)
            | Q(user__email__icontains=q)
            | Q(organisation__name_key__contains=rules.plain_key(q))
        )
    if role := request.GET.get("role", ""):
        found = found.filter(role=role)
    if request.GET.get("past") != "1":
        found = found.filter(
            Q(ends_on__isnull=True) | Q(ends_on__gte=day),
            revoked_at__isnull=True,
            delegated_from__revoked_at__isnull=True,
        )
    manages = actor.can("people.manage") or actor.can("people.delegate")
    if wants(request) != "html":
        return _export_people(request, found, day, manages)
    rows = Paginator(found, 50).get_page(request.GET.get("page"))
    rows.object_list = person_rows(rows.object_list, day)
    target = organisation or (Organisation.objects.filter(pk=actor.organisation_id).first() if not national else None)
    roles = rules.invitable_roles(actor, policy().roles, organisation_id=target.id) if target and manages else []
    invitations = list(open_invitations(day, target.id if target else None)[:100]) if manages else []
    may_delegate = actor.can("people.delegate") and target is not None and target.id == actor.organisation_id
    others = colleagues(actor, day) if may_delegate else []
    context = {
        "title": T("Personnes", "People"),
        "rows": rows,
        "organisation": organisation,
        "national": national,
        "manages": manages,
        "roles": policy().roles,
        "invitations": [
            {"row": i, "role": role_of(i.role), "expired": i.expires_on < day, "letter": None} for i in invitations
        ],
        "invite_form": invite_form or (forms.Invite(roles=roles) if roles else None),
        "delegate_form": delegate_form
        or (forms.Delegate(colleagues=others, initial={"starts_on": day}) if others else None),
        "may_delegate": may_delegate,
        "target": target,
        "refusal": refusal,
        "mail": bool(settings.MAIL_URL),
        "role_asked": role,
        "choices": list(organisations(q=request.GET["find"])[:10]) if national and request.GET.get("find") else [],
    }
    if not settings.MAIL_URL:
        letters = {
            m.case: m
            for m in OutboxMessage.objects.filter(
                case__in=[f"invitation:{i.id}" for i in invitations], sent_at__isnull=True, attempts__lt=90
            )
        }
        for one in context["invitations"]:
            one["letter"] = letters.get(f"invitation:{one['row'].id}")
    return render(
        request, "people/people.html", context, status=400 if refusal or _wrong(invite_form, delegate_form) else 200
    )


def _wrong(*some_forms: Any) -> bool:
    return any(form is not None and form.errors for form in some_forms)


def _chosen_organisation(request: HttpRequest) -> Organisation | None:
    wanted = request.GET.get("organisation") or request.POST.get("organisation") or ""
    if not wanted.isdigit():
        return None
    return Organisation.objects.filter(pk=wanted).first()


def _export_people(request: HttpRequest, found: Any, day: dt.date, with_email: bool) -> HttpResponse:
    columns = [
        ("name", Column(T("Nom", "Name"))),
        *([("email", Column(T("Adresse", "E-mail")))] if with_email else []),
        ("organisation", Column(T("Organisme", "Organisation"))),
        ("role", Column(T("Rôle", "Role"))),
        ("starts_on", Column(T("Du", "From"))),
        ("ends_on", Column(T("Au", "Until"))),
        ("state", Column(T("État", "State"))),
    ]

    def rows() -> Iterator[list[Any]]:
        for r in person_rows(found.iterator(chunk_size=1000), day):
            m = r.mandate
            email = [m.user.email] if with_email else []
            yield [m.user.name, *email, m.organisation.name, str(r.role_title), m.starts_on, m.ends_on, r.state]

    return export(request, "personnes", columns, rows(), simulated=found.filter(user__simulated=True).exists())


def _invitation_address(request: HttpRequest) -> Any:
    return lambda token: request.build_absolute_uri(reverse("accept-invitation", args=[token]))


@acts
def invite(request: HttpRequest) -> HttpResponse:
    actor = request.actor
    actor.require("people.manage" if actor.can("people.manage") else "people.delegate")
    national = access.manages_nationally(actor)
    target = _chosen_organisation(request) if national else None
    target = target or get_object_or_404(Organisation, pk=actor.organisation_id)
    roles = rules.invitable_roles(actor, policy().roles, organisation_id=target.id)
    form = forms.Invite(request.POST, roles=roles)
    if not form.is_valid():
        return people(request, invite_form=form)
    try:
        actions.invite(target, by=actor, on=clock.today(), address=_invitation_address(request), **form.cleaned_data)
    except NotAllowed:
        raise
    except Refused as refusal:
        return people(request, invite_form=form, refusal=refusal)
    _say_sent(request, form.cleaned_data["email"])
    return HttpResponseRedirect(_people_of(target if national else None))


def _people_of(organisation: Organisation | None) -> str:
    return reverse("people") + (f"?organisation={organisation.id}" if organisation else "")


def _say_sent(request: HttpRequest, email: str) -> None:
    if settings.MAIL_URL:
        text = T("L'invitation part vers {email}.", "The invitation leaves for {email}.", email=email)
    else:
        text = T(
            "L'invitation pour {email} est prête. Aucun serveur de courrier n'est réglé ici : copiez le message ci-dessous et remettez-le.",
            "The invitation for {email} is ready. No mail server is set here: copy the message below and hand it over.",
            email=email,
        )
    messages.success(request, text)


def _invitation(request: HttpRequest, pk: int) -> Invitation:
    found = get_object_or_404(Invitation.objects.select_related("organisation"), pk=pk)
    if not access.manages_nationally(request.actor) and found.organisation_id != request.actor.organisation_id:
        raise Http404
    return found


@acts
def invite_again(request: HttpRequest, pk: int) -> HttpResponse:
    signed_in_only(request)
    invitation = _invitation(request, pk)
    actions.invite_again(invitation, by=request.actor, on=clock.today(), address=_invitation_address(request))
    _say_sent(request, invitation.email)
    return HttpResponseRedirect(safe_next(request, reverse("people")))


@acts
def withdraw_invitation(request: HttpRequest, pk: int) -> HttpResponse:
    signed_in_only(request)
    actions.withdraw_invitation(_invitation(request, pk), by=request.actor, on=clock.today())
    messages.success(request, T("L'invitation est retirée.", "The invitation is withdrawn."))
    return HttpResponseRedirect(safe_next(request, reverse("people")))


@acts
def delegate(request: HttpRequest) -> HttpResponse:
    actor, day = request.actor, clock.today()
    actor.require("people.delegate")
    others = colleagues(actor, day)
    form = forms.Delegate(request.POST, colleagues=others)
    if not form.is_valid():
        return people(request, delegate_form=form)
    data = form.cleaned_data
    try:
        made = actions.delegate(to=next(u for u in others if u.id == data.pop("to")), by=actor, on=day, **data)
    except NotAllowed:
        raise
    except Refused as refusal:
        return people(request, delegate_form=form, refusal=refusal)
    messages.success(
        request,
        T(
            "{name} vous remplace jusqu'au {day}.",
            "{name} acts in your place until {day}.",
            name=made.user.name,
            day=made.ends_on.isoformat(),
        ),
    )
    return HttpResponseRedirect(
        _people_of(Organisation(id=actor.organisation_id) if access.manages_nationally(actor) else None)
    )


@acts
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    signed_in_only(request)
    mandate = get_object_or_404(mandates_read(), pk=pk)
    actor = request.actor
    if not access.manages_nationally(actor) and mandate.user_id != actor.user_id:
        if mandate.organisation_id != actor.organisation_id:
            raise Http404
    actions.revoke(mandate, by=actor, on=clock.today(), why=request.POST.get("why", ""))
    messages.success(request, T("Le mandat est retiré.", "The mandate is ended."))
    return HttpResponseRedirect(safe_next(request, reverse("my-account")))


@page
@never_cache
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One person: mandates, delegations, what was done with the account. For colleagues and managers of accounts."""
    actor, day = request.actor, clock.today()
    signed_in_only(request)
    someone = get_object_or_404(User, pk=pk)
    national = access.manages_nationally(actor)
    mandates = mandates_read().filter(user=someone)
    if not national and someone.pk != actor.user_id:
        mandates = mandates.filter(organisation_id=actor.organisation_id)
        if actor.side == "public" or not mandates.exists():
            raise Http404
    rows = person_rows(mandates, day)
    entries: list[JournalEntry] = []
    if national or someone.pk == actor.user_id:
        entries = list(JournalEntry.objects.filter(case=f"user:{someone.pk}").order_by("-id")[:50])
    letters = []
    if national and not settings.MAIL_URL:
        letters = list(
            OutboxMessage.objects.filter(case=f"password:{someone.pk}", sent_at__isnull=True, attempts__lt=90).order_by(
                "-id"
            )[:1]
        )
    context = {
        "title": someone.name,
        "someone": someone,
        "rows": [
            {
                "row": r,
                "may_revoke": r.state in ("in_force", "to_come")
                and _could(access.may_revoke, actor, r.mandate, r.role),
            }
            for r in rows
        ],
        "national": national,
        "manages": national or actor.can("people.manage") or someone.pk == actor.user_id,
        "entries": entries,
        "letters": letters,
    }
    return render(request, "people/person.html", context)


def _could(check: Any, *args: Any) -> bool:
    try:
        check(*args)
    except NotAllowed:
        return False
    return True


@acts
def open_or_close(request: HttpRequest, pk: int) -> HttpResponse:
    """Close an account, or open it again."""
    actor = request.actor
    actor.require("people.manage")
    someone = get_object_or_404(User, pk=pk)
    why = request.POST.get("why", "")
    if request.POST.get("act") == "open":
        actions.reactivate(someone, by=actor, on=clock.today(), why=why)
        messages.success(request, T("Le compte est de nouveau ouvert.", "The account is open again."))
    else:
        actions.deactivate(someone, by=actor, on=clock.today(), why=why)
        messages.success(request, T("Le compte est fermé.", "The account is closed."))
    return redirect("person", pk=pk)


# --- organisations -----------------------------------------------------------------------------------------------


@page
def organisation_list(request: HttpRequest) -> HttpResponse:
    """Organisations of the register: name, kind, town; searched with accents ignored, filtered, exported."""
    asked = {key: request.GET.get(key, "").strip() for key in ("q", "kind", "region", "country")}
    found = organisations(**asked)
    sort = request.GET.get("sort", "")
    order = {"name": "name_key", "kind": "kind", "city": "city", "country": "country"}.get(sort.lstrip("-"))
    if order:
        found = found.order_by(("-" if sort.startswith("-") else "") + order, "id")
    if wants(request) != "html":
        return _export_organisations(request, found)
    rows = Paginator(
        found.only("id", "name", "short_name", "kind", "city", "postcode", "country", "simulated", "region_code"), 50
    )
    shown = rows.get_page(request.GET.get("page"))
    regions = forms.region_titles()
    context = {
        "title": T("Organismes", "Organisations"),
        "rows": shown,
        "asked": asked,
        "kinds": forms.KIND_TITLES,
        "regions": sorted(regions.items(), key=lambda pair: rules.plain_key(pair[1])),
        "may_add": _could(access.may_add_organisation, request.actor),
        "may_merge": _could(access.may_merge, request.actor),
        "sort_default": "name",
    }
    for row in shown.object_list:
        row.kind_title = forms.KIND_TITLES.get(row.kind, row.kind)
        row.region_name = regions.get(row.region_code, "")
    return render(request, "people/organisations.html", context)


def _export_organisations(request: HttpRequest, found: Any) -> HttpResponse:
    regions = forms.region_titles()
    schemes = list(policy().identifiers)
    columns = [
        ("name", Column(T("Nom", "Name"))),
        ("kind", Column(T("Nature", "Kind"))),
        ("legal_form", Column(T("Forme juridique", "Legal form"))),
        ("city", Column(T("Ville", "Town"))),
        ("postcode", Column(T("Code postal", "Postcode"))),
        ("region", Column(T("Région", "Region"))),
        ("country", Column(T("Pays", "Country"))),
        *[(s.code, Column(s.code.upper())) for s in schemes],
        ("data", Column(T("Données", "Data"))),
    ]
    mark = str(T("simulées (démonstration)", "simulated (demonstration)"))

    def rows() -> Iterator[list[Any]]:
        batch: list[Organisation] = []
        for one in found.iterator(chunk_size=2000):
            batch.append(one)
            if len(batch) == 2000:
                yield from lines(batch)
                batch = []
        yield from lines(batch)

    def lines(batch: list[Organisation]) -> Iterator[list[Any]]:
        numbers: dict[int, dict[str, str]] = {}
        for row in Identifier.objects.filter(organisation_id__in=[o.id for o in batch]).order_by("id"):
            numbers.setdefault(row.organisation_id, {}).setdefault(row.scheme, row.value)
        for o in batch:
            kept = numbers.get(o.id, {})
            yield [
                o.name, str(forms.KIND_TITLES.get(o.kind, o.kind)), o.legal_form, o.city, o.postcode,
                regions.get(o.region_code, o.region_code), o.country, *[kept.get(s.code, "") for s in schemes],
                mark if o.simulated else "",
            ]  # fmt: skip

    return export(request, "organismes", columns, rows())


@page
def organisation_page(
    request: HttpRequest, pk: int, forms_in: dict[str, Any] | None = None, refusal: Any = None
) -> HttpResponse:
    """One organisation: identifiers, size at a date with its evidence, memberships, what it carries and signed."""
    organisation = get_object_or_404(Organisation.objects.select_related("merged_into"), pk=pk)
    if (
        organisation.merged_into_id is not None
        and not access.manages_nationally(request.actor)
        and not request.actor.can("register.edit")
    ):
        return redirect("organisation", pk=current(organisation).pk)
    actor, today = request.actor, clock.today()
    day = forms.parsed_day(request.GET.get("on")) or today
    may_edit = organisation.merged_into_id is None and _could(access.may_edit_organisation, actor, organisation.id)
    kept = forms_in or {}
    schemes = {s.code: s for s in policy().identifiers}
    scheme_sizes = {s.code: s for s in policy().members.size_schemes}
    sizes = list(as_known_on(organisation.sizes.all()).order_by("-on", "-id"))
    for row in sizes:
        row.title = _size_title(scheme_sizes, row.definition, row.category)
        row.definition_title = scheme_sizes[row.definition].title if row.definition in scheme_sizes else row.definition
    size = size_category_on(organisation, day)
    identifiers = list(organisation.identifiers.order_by("scheme", "value"))
    for row in identifiers:
        row.title = schemes[row.scheme].title if row.scheme in schemes else row.scheme
    context = {
        "title": organisation.name,
        "organisation": organisation,
        "kind_title": forms.KIND_TITLES.get(organisation.kind, organisation.kind),
        "sources": {s.key: s for s in Source.objects.filter(key__in=organisation.sources or [])}
        if organisation.sources
        else {},
        "region_name": forms.region_titles().get(organisation.region_code, organisation.region_code),
        "day": day,
        "identifiers": identifiers,
        "sizes": sizes,
        "size": size,
        "size_title": _size_title(scheme_sizes, size.definition, size.category) if size else None,
        "memberships": _memberships(organisation, day),
        "carries": list(organisation.carries.select_related("cluster").order_by("starts_on"))
        if hasattr(organisation, "carries")
        else [],
        "signed": _signed(organisation),
        "merges": list(
            Merge.objects.filter(kept=organisation, undone_at__isnull=True).select_related("absorbed").order_by("-id")
        )
        if _could(access.may_merge, actor)
        else [],
        "may_edit": may_edit,
        "identifier_form": kept.get("identifier") or (forms.IdentifierForm() if may_edit else None),
        "size_form": kept.get("size") or (forms.SizeForm(initial={"as_of": today}) if may_edit else None),
        "entries": list(JournalEntry.objects.filter(case=f"organisation:{pk}").order_by("-id")[:30])
        if may_edit
        else [],
        "refusal": refusal,
    }
    return render(
        request, "people/organisation.html", context, status=400 if refusal or _wrong(*kept.values()) else 200
    )


def _size_title(schemes: dict[str, Any], definition: str, category: str) -> Any:
    scheme = schemes.get(definition)
    return next((c.title for c in scheme.categories if c.code == category), category) if scheme else category


def _memberships(organisation: Organisation, day: dt.date) -> list[Any]:
    """Current versions of its memberships; the package above answers through the relation."""
    if not hasattr(organisation, "memberships"):
        return []
    rows = list(
        organisation.memberships.filter(superseded_at__isnull=True)
        .select_related("cluster")
        .order_by("joined_on", "id")
    )
    types = {t.code: t.title for t in policy().members.types}
    for row in rows:
        row.type_title = types.get(row.member_type, row.member_type)
        row.running = row.joined_on <= day and (row.left_on is None or row.left_on >= day)
    return rows


def _signed(organisation: Organisation) -> list[Any]:
    """Contracts that it signed as a party; those still negotiated are not public."""
    if not hasattr(organisation, "contract_parties"):
        return []
    parties = organisation.contract_parties.filter(contract__state__in=["signed", "closed"]).select_related("contract")
    return [p.contract for p in parties.order_by("contract__starts_on")]


@page
@never_cache
def new_organisation(request: HttpRequest) -> HttpResponse:
    access.may_add_organisation(request.actor)
    form = forms.NewOrganisation(
        request.POST if request.method == "POST" else None, initial={"country": policy().country}
    )
    refusal = None
    if request.method == "POST" and form.is_valid():
        data = dict(form.cleaned_data)
        scheme, number = data.pop("scheme"), data.pop("identifier").strip()
        try:
            made = actions.create_organisation(
                **data, identifiers=[(scheme, number)] if number else [], by=request.actor, on=clock.today()
            )
        except NotAllowed:
            raise
        except Refused as refused:
            refusal = refused
        else:
            messages.success(request, T("L'organisme est enregistré.", "The organisation is recorded."))
            return redirect("organisation", pk=made.pk)
    context = {
        "title": T("Nouvel organisme", "New organisation"),
        "form": form,
        "refusal": refusal,
        "alike": list(organisations(q=request.POST["name"])[:5]) if refusal and request.POST.get("name") else [],
    }
    return render(request, "people/organisation_form.html", context, status=400 if refusal or form.errors else 200)


@page
@never_cache
def edit_organisation(request: HttpRequest, pk: int) -> HttpResponse:
    organisation = get_object_or_404(Organisation, pk=pk, merged_into__isnull=True)
    access.may_edit_organisation(request.actor, pk)
    names = [*actions.TEXT_FIELDS, "kind"]
    form = forms.OrganisationForm(
        request.POST if request.method == "POST" else None,
        initial={name: getattr(organisation, name) for name in names},
    )
    refusal = None
    if request.method == "POST" and form.is_valid():
        try:
            actions.edit_organisation(organisation, by=request.actor, on=clock.today(), **form.cleaned_data)
        except NotAllowed:
            raise
        except Refused as refused:
            refusal = refused
        else:
            messages.success(request, T("La fiche est enregistrée.", "The record is saved."))
            return redirect("organisation", pk=pk)
    context = {"title": organisation.name, "form": form, "refusal": refusal, "organisation": organisation}
    return render(request, "people/organisation_form.html", context, status=400 if refusal or form.errors else 200)


@acts
def add_identifier(request: HttpRequest, pk: int) -> HttpResponse:
    organisation = get_object_or_404(Organisation, pk=pk, merged_into__isnull=True)
    access.may_edit_organisation(request.actor, pk)
    form = forms.IdentifierForm(request.POST)
    if form.is_valid():
        try:
            actions.add_identifier(organisation, by=request.actor, on=clock.today(), **form.cleaned_data)
        except NotAllowed:
            raise
        except Refused as refusal:
            form.add_error("value", str(refusal.reason))
    if form.errors:
        return organisation_page(request, pk, forms_in={"identifier": form})
    messages.success(request, T("L'identifiant est ajouté.", "The identifier is added."))
    return redirect("organisation", pk=pk)


@acts
def remove_identifier(request: HttpRequest, pk: int, identifier: int) -> HttpResponse:
    row = get_object_or_404(Identifier, pk=identifier, organisation_id=pk)
    actions.remove_identifier(row, by=request.actor, on=clock.today(), why=request.POST.get("why", ""))
    messages.success(request, T("L'identifiant est retiré.", "The identifier is removed."))
    return redirect("organisation", pk=pk)


@acts
def record_size(request: HttpRequest, pk: int) -> HttpResponse:
    organisation = get_object_or_404(Organisation, pk=pk, merged_into__isnull=True)
    access.may_edit_organisation(request.actor, pk)
    form = forms.SizeForm(request.POST)
    if not form.is_valid():
        return organisation_page(request, pk, forms_in={"size": form})
    data = dict(form.cleaned_data)
    definition, category = data.pop("size").split(":", 1)
    try:
        actions.record_size(
            organisation, definition=definition, category=category, by=request.actor, on=clock.today(), **data
        )
    except NotAllowed:
        raise
    except Refused as refusal:
        return organisation_page(request, pk, forms_in={"size": form}, refusal=refusal)
    messages.success(request, T("La taille est enregistrée.", "The size is recorded."))
    return redirect("organisation", pk=pk)


# --- duplicates --------------------------------------------------------------------------------------------------


def likely_duplicates() -> list[rules.Pair]:
    """Pairs that may be one organisation; kept for a few minutes while the register does not change."""
    state = Organisation.objects.aggregate(n=Count("id"), last=Max("id"), merged=Count("merged_into"))
    numbers = Identifier.objects.aggregate(n=Count("id"), last=Max("id"))
    apart = list(NotDuplicate.objects.values_list("first_id", "second_id"))
    key = f"duplicates:{state}:{numbers}:{len(apart)}".replace(" ", "")
    key = f"duplicates-{actions.hashlib.sha256(key.encode()).hexdigest()}"
    found = cache.get(key)
    if found is None:
        identifiers: dict[int, list[tuple[str, str]]] = {}
        for org, scheme, value in Identifier.objects.values_list("organisation_id", "scheme", "value"):
            identifiers.setdefault(org, []).append((scheme, value))
        cards = [
            rules.Card(pk, name, city, postcode, country, tuple(identifiers.get(pk, ())))
            for pk, name, city, postcode, country in Organisation.objects.filter(merged_into__isnull=True).values_list(
                "id", "name_key", "city", "postcode", "country"
            )
        ]
        found = rules.likely_pairs(cards, apart)
        cache.set(key, found, 600)
    return found


@page
@never_cache
def duplicates(request: HttpRequest) -> HttpResponse:
    """Pairs of organisations that may be one, with the evidence side by side."""
    access.may_merge(request.actor)
    shown = Paginator(likely_duplicates(), 10).get_page(request.GET.get("page"))
    ids = {pk for pair in shown.object_list for pk in (pair.first, pair.second)}
    found = Organisation.objects.prefetch_related("identifiers").annotate(people=Count("mandates", distinct=True))
    if any(f.name == "memberships" for f in Organisation._meta.get_fields()):
        found = found.annotate(
            adhesions=Count("memberships", distinct=True, filter=Q(memberships__superseded_at__isnull=True))
        )
    by_id = {o.id: o for o in found.filter(pk__in=ids)}
    sizes = sizes_on(ids, clock.today())
    for one in by_id.values():
        one.kind_title = forms.KIND_TITLES.get(one.kind, one.kind)
        one.size = sizes.get(one.id)
    pairs = [
        {"pair": p, "first": by_id[p.first], "second": by_id[p.second]}
        for p in shown.object_list
        if p.first in by_id and p.second in by_id
    ]
    undoable = Merge.objects.filter(undone_at__isnull=True).select_related("kept", "absorbed").order_by("-id")[:10]
    context = {
        "title": T("Doublons possibles", "Possible duplicates"),
        "pairs": pairs,
        "page_of": shown,
        "merges": undoable,
    }
    return render(request, "people/duplicates.html", context)


def _two(request: HttpRequest, first: str, second: str) -> tuple[Organisation, Organisation]:
    ids = [request.POST.get(first, ""), request.POST.get(second, "")]
    if not all(i.isdigit() for i in ids):
        raise Refused(T("Deux fiches sont attendues.", "Two records are expected."), kind="input")
    return get_object_or_404(Organisation, pk=ids[0]), get_object_or_404(Organisation, pk=ids[1])


@acts
def merge(request: HttpRequest) -> HttpResponse:
    access.may_merge(request.actor)
    absorbed, kept = _two(request, "absorbed", "kept")
    actions.merge(absorbed, into=kept, by=request.actor, on=clock.today(), reason=request.POST.get("why", ""))
    messages.success(
        request,
        T(
            "« {gone} » est fusionné dans « {kept} » : rien n'est perdu, et la fusion peut être annulée tant que rien n'a changé.",
            "“{gone}” is merged into “{kept}”: nothing is lost, and the merge can be undone while nothing has changed.",
            gone=absorbed.name,
            kept=kept.name,
        ),
    )
    return HttpResponseRedirect(safe_next(request, reverse("duplicates")))


@acts
def not_duplicate(request: HttpRequest) -> HttpResponse:
    access.may_merge(request.actor)
    first, second = _two(request, "first", "second")
    actions.say_not_duplicate(first, second, by=request.actor, on=clock.today(), reason=request.POST.get("why", ""))
    messages.success(
        request,
        T("Ces deux fiches ne seront plus proposées ensemble.", "These two records will not be proposed again."),
    )
    return HttpResponseRedirect(safe_next(request, reverse("duplicates")))


@acts
def undo_merge(request: HttpRequest, pk: int) -> HttpResponse:
    access.may_merge(request.actor)
    actions.undo_merge(
        get_object_or_404(Merge, pk=pk), by=request.actor, on=clock.today(), reason=request.POST.get("why", "")
    )
    messages.success(request, T("La fusion est annulée.", "The merge is undone."))
    return HttpResponseRedirect(safe_next(request, reverse("duplicates")))
