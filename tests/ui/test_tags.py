"""Template tags: pairs, escaping, typography, tables, forms, components."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template import TemplateSyntaxError, engines
from django.template.loader import render_to_string
from django.test import RequestFactory

from jalon.core.errors import Refused
from jalon.core.lang import T, speaking
from jalon.core.why import Why
from jalon.ui import charts, samples

NB, TH = "\u00a0", "\u202f"


def render(source, request=None, **context):
    """The request goes into the context by hand, so that no context processor asks the database."""
    return engines["django"].from_string("{% load jalon %}" + source).render({**context, "request": request})


def test_pair_in_both_languages():
    source = '{% t "Bonjour %(name)s" "Hello {name}" name=name %}'
    assert render(source, name="Lyon") == "Bonjour Lyon"
    with speaking("en"):
        assert render(source, name="Lyon") == "Hello Lyon"


@pytest.mark.parametrize(
    ("french", "shown"),
    [
        ("Pourquoi ?", f"Pourquoi{TH}?"),
        ("Source : le texte ; voir plus loin !", f"Source{NB}: le texte{TH}; voir plus loin{TH}!"),
        ("« Xylofutur »", f"«{NB}Xylofutur{NB}»"),
        ("57 % de PME", f"57{NB}% de PME"),
        ("Contrat %(name)s : signé", f"Contrat X{NB}: signé"),
        ("{name} et {other}", "X et {other}"),
    ],
)
def test_french_typography(french, shown):
    assert render('{% t text "en" name="X" %}', text=french) == shown


def test_pair_escapes_text_and_values():
    assert render('{% t "a < b & %(x)s" "e" x=x %}', x='<i>"') == "a &lt; b &amp; &lt;i&gt;&quot;"
    assert render('{% t "l\'État" "the State" %}') == "l'État"


def test_pair_writes_dates_and_decimals():
    assert render(
        '{% t "le {d}, {v}, {y}, {n}" "e" d=d v=v y=2010 n=n %}', d=date(2010, 6, 1), v=Decimal("1234.5"), n=None
    ) == (f"le 1er{NB}juin 2010, 1{TH}234,5, 2010, inconnu")


def test_value_cannot_smuggle_a_field():
    assert render('{% t "{a} {b}" "e" a=a b="B" %}', a="{b}") == "{b} B"


def test_pair_kept_in_a_variable():
    assert render('{% t "oui" "yes" as x %}[{{ x }}]') == "[oui]"


@pytest.mark.parametrize("source", ['{% t "seul" %}', '{% t "a" "b" c %}'])
def test_pair_refuses_what_it_cannot_read(source):
    with pytest.raises(TemplateSyntaxError):
        render(source)


@pytest.mark.parametrize(
    ("n", "french", "english"),
    [(0, "0 pôle", "0 clusters"), (1, "1 pôle", "1 cluster"), (1487, f"1{TH}487 pôles", "1,487 clusters")],
)
def test_plural(n, french, english):
    source = '{% plural n "{n} pôle" "{n} pôles" "{n} cluster" "{n} clusters" %}'
    assert render(source, n=n) == french
    with speaking("en"):
        assert render(source, n=n) == english


def test_light_is_word_shape_and_colour():
    html = render('{% light "late" %}')
    assert "en retard" in html and "#s-diamond" in html and "tone-bad" in html
    assert render("{{ code|light }}", code=None) == render('{% light "unknown" %}')
    assert "&lt;3 jours" in render('{% light "late" words %}', words="<3 jours")
    with speaking("en"):
        assert "late" in render('{{ "late"|light }}')
    with pytest.raises(KeyError):
        render('{% light "green" %}')


def test_unknown_is_never_zero():
    assert (
        render("{{ x|money }} {{ x|number }} {{ x|percent }} {{ x|day }}", x=None) == "inconnu inconnu inconnu inconnu"
    )
    assert "inconnu" in render("{{ x|unknown }}", x=None)
    assert render("{{ x|unknown }}", x=0) == "0"


def test_simulated_mark_only_when_it_is():
    assert render("{% simulated no %}", no=False) == ""
    assert "simulé" in render("{% simulated yes %}", yes=True)


def test_name_of_text_object_and_mapping():
    assert render("{% name_of x %}", x="pôles de compétitivité") == "pôles de compétitivité"
    assert render("{% name_of x %}", x=SimpleNamespace(title=T("<Pôle>", "Cluster"))) == "&lt;Pôle&gt;"
    assert render("{% name_of x %}", x={"name": "Mov'eo"}) == "Mov&#x27;eo"


def test_why_shows_rule_parameter_text_day_and_inputs():
    why = Why(
        rule=T("18 mois après la décision", "18 months after the decision"),
        parameter="evaluations.mid_term_review_after",
        value=18,
        unit="mois",
        reference="Suites de l'évaluation",
        url="https://example.org/texte",
        day=date(2009, 1, 1),
        inputs={"décision": date(2009, 1, 1), "fin": None},
        steps=("a", "b"),
        reading=True,
    )
    html = render("{% why x %}", x=why)
    for words in (
        "18 mois après",
        "evaluations.mid_term_review_after",
        "18 mois",
        "https://example.org/texte",
        f"1er{NB}janvier 2009",
        "notre lecture",
        "inconnu",
    ):
        assert words in html
    assert "style=" not in html
    assert render("{% why x %}", x=None).strip() == ""


def test_source_links_and_refuses_scripts():
    html = render("{% source x %}", x="https://www.senat.fr/a | https://b.fr")
    assert html.count("<a ") == 2 and ">senat.fr</a>" in html
    assert "<a" not in render("{% source x %}", x={"url": "javascript:alert(1)", "title": "t"})
    assert "source inconnue" in render("{% source x %}", x=None)
    assert ">Journal officiel</a>" in render(
        "{% source 'jo' %}", sources={"jo": {"title": "Journal officiel", "url": "https://jo.fr"}}
    )


def test_sort_header_keeps_the_query_and_turns_round():
    get = RequestFactory().get
    html = render('{% sortable "name" "Nom" %}', get("/?tier=mondial&page=3"))
    assert 'href="?tier=mondial&amp;sort=name"' in html and "aria-sort" not in html
    html = render('{% sortable "name" "Nom" cls="num" %}', get("/?sort=name"))
    assert 'href="?sort=-name"' in html and 'aria-sort="ascending"' in html and 'class="num"' in html
    assert 'aria-sort="descending"' in render('{% sortable "name" "Nom" %}', get("/?sort=-name"))


def test_query_changes_and_removes():
    request = RequestFactory().get("/?a=1&a=2&page=4")
    assert render("{% query b='é & x' page=None %}", request) == "?a=1&amp;a=2&amp;b=%C3%A9+%26+x"
    assert render("{% query on=day %}", RequestFactory().get("/"), day=date(2010, 5, 12)) == "?on=2010-05-12"


def test_exports_are_the_same_view():
    html = render("{% exports 'csv,xlsx' %}", RequestFactory().get("/?tier=mondial&page=2"))
    assert 'href="?tier=mondial&amp;format=csv"' in html and "format=xlsx" in html and "format=ods" not in html


def test_pages():
    request = RequestFactory().get("/?q=x&page=2")
    html = render("{% paginate page %}", request, page=Paginator(range(95), 20).page(2))
    assert "21 à 40 sur 95" in html and 'href="?q=x&amp;page=3"' in html and 'aria-current="page">2<' in html
    assert "1 ligne" in render("{% paginate page %}", request, page=Paginator([1], 20).page(1))
    assert render("{% paginate page %}", request, page=Paginator([], 20).page(1)).strip() == ""


def test_field_ties_help_and_error_to_the_input():
    form = samples.SampleForm({"name": ""})
    html = render("{% form form %}", form=form)
    assert re.search(r'<input[^>]*name="name"[^>]*aria-describedby="id_name-help id_name-error"', html)
    assert re.search(r'<input[^>]*name="name"[^>]*aria-invalid="true"', html)
    assert 'id="id_name-error"' in html and 'href="#id_name"' in html and "<legend>" in html
    assert "(facultatif)" in html
    assert render("{% errors form %}", form=samples.SampleForm()).strip() == ""


def test_unit_of_a_field():
    class Money(forms.Form):
        amount = forms.DecimalField(label="Montant")
        amount.unit = "€"

    assert '<span class="unit">€</span>' in render("{% field form.amount %}", form=Money())


def test_refusal_lists_what_is_missing():
    refusal = Refused(
        T("Le préfet ne peut pas signer.", "The prefect cannot sign."), missing=[T("L'annexe 3.", "Annex 3.")]
    )
    html = render("{% refused x %}", x=refusal)
    assert "Le préfet ne peut pas signer." in html and "<li>L&#x27;annexe 3.</li>" in html
    assert render("{% refused x %}", x=None).strip() == ""


def test_difference_marks_words_and_escapes():
    html = render("{% diff a b %}", a="le <chat> noir", b="le <chien> noir")
    assert re.search(r"<del>.*chat</del><ins>.*chien</ins>", html) and "&lt;" in html and "<chat>" not in html
    assert "<ins>" not in render("{% diff a a %}", a="pareil")
    side = render("{% diff a b side=True %}", a="", b="nouveau")
    assert "rien" in side and "Avant" in side and "nouveau" in side


def test_typed_text_is_paragraphs_only():
    assert (
        render("{{ x|lines }}", x="un\ndeux\r\n\r\n<b>trois</b>") == "<p>un<br>deux</p><p>&lt;b&gt;trois&lt;/b&gt;</p>"
    )


def test_chart_comes_with_its_table_and_download():
    chart = charts.bars([("a & b", 3)], title="Titre")
    html = render("{% chart_with_table chart download='?format=csv' %}", chart=chart)
    assert "<svg" in html and "a &amp; b</th>" in html and 'href="?format=csv"' in html and "Titre" in html


def test_base_needs_nothing():
    html = render_to_string("jalon/base.html")
    assert '<html lang="fr"' in html and 'href="#main"' in html and "<main" in html and "style=" not in html


@pytest.mark.parametrize("name", ["400.html", "403.html", "404.html", "413.html", "500.html"])
def test_error_pages_say_what_to_do(name):
    html = render_to_string(name)
    assert "<h1>" in html and html.count("<p>") >= 2
    with speaking("en"):
        assert render_to_string(name) != html
