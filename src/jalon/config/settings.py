"""Settings: safe by default, everything that differs between installations comes from the environment.

``JALON_DATABASE_URL``  a PostgreSQL address; without it, SQLite in ``JALON_HOME``
``JALON_HOME``          where the database, files and secret lie (default: ``var`` in the project's folder)
``JALON_PROGRAMME``     the programme that this installation runs (default: fr-poles-de-competitivite)
``JALON_HOSTS``         names under which it is served, separated by commas
``JALON_SECRET_KEY``    otherwise made once and kept in ``JALON_HOME``, readable by its owner only
``JALON_HTTPS``         1 when served behind HTTPS: secure cookies and strict transport
``JALON_MAIL_URL``      smtp://user:password@host:port; without it, messages stay in the outbox
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import environ
from csp.constants import NONE, SELF

ROOT = Path(__file__).resolve().parents[3]
HOME = Path(os.environ.get("JALON_HOME") or ROOT / "var")
HOME.mkdir(parents=True, exist_ok=True)


def _secret() -> str:
    given = os.environ.get("JALON_SECRET_KEY")
    if given:
        return given
    path = HOME / "secret_key"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        for _ in range(100):
            text = path.read_text()
            if text:
                return text
        raise
    with os.fdopen(handle, "w") as out:
        key = secrets.token_urlsafe(50)
        out.write(key)
    return key


def database(url: str | None) -> dict:
    """Django's description of the database that ``url`` names; SQLite in ``HOME`` without one."""
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": HOME / "jalon.sqlite3",
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "init_command": (
                    "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;"
                    "PRAGMA busy_timeout=10000;PRAGMA cache_size=-32000;"
                ),
            },
            "TEST": {"NAME": os.environ.get("JALON_TEST_SQLITE") or None},
        }
    scheme = urlsplit(url).scheme
    if scheme not in ("postgres", "postgresql"):
        sys.exit(
            f"JALON_DATABASE_URL : « {scheme}:// » n'est pas connu ; "
            "attendu : postgresql://utilisateur:motdepasse@hote:5432/base\n"
            f"JALON_DATABASE_URL: “{scheme}://” is not known; expected: postgresql://user:password@host:5432/database"
        )
    found = environ.Env.db_url_config(url)
    # Values go to the server apart from the statement, which it then plans once a connection (``core/prepared.py``
    # sends the same statement again and again). Behind a pooler that shares connections: ?prepare_threshold=none
    options = {"server_side_binding": True, "prepare_threshold": 3, **found.get("OPTIONS", {})}
    if str(options["prepare_threshold"]).lower() in ("none", ""):
        options["prepare_threshold"] = None
    return {**found, "OPTIONS": options, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}


SECRET_KEY = _secret()
DEBUG = os.environ.get("JALON_DEBUG") == "1"
ALLOWED_HOSTS = [h for h in os.environ.get("JALON_HOSTS", "127.0.0.1,localhost,[::1]").split(",") if h]
PROGRAMME = os.environ.get("JALON_PROGRAMME", "fr-poles-de-competitivite")
POLICIES = Path(os.environ.get("JALON_POLICIES") or ROOT / "policies")
DATA = ROOT / "data"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "jalon.core",
    "jalon.ui",
    "jalon.people",
    "jalon.interests",
    "jalon.programme",
    "jalon.clusters",
    "jalon.indicators",
    "jalon.roadmaps",
    "jalon.contracts",
    "jalon.aid",
    "jalon.projects",
    "jalon.labelling",
    "jalon.selection",
    "jalon.funding",
    "jalon.committees",
    "jalon.evaluations",
    "jalon.decisions",
    "jalon.workspace",
    "jalon.portal",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "jalon.people.middleware.NullByteMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "jalon.core.clock.ClockMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "jalon.people.middleware.LanguageMiddleware",
    "jalon.core.uploads.BodyLimitMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "jalon.people.middleware.ActorMiddleware",
]

ROOT_URLCONF = "jalon.config.urls"
WSGI_APPLICATION = "jalon.config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "jalon.config.context.house",
            ],
            "builtins": ["jalon.ui.templatetags.jalon"],
        },
    }
]

DATABASES = {"default": database(os.environ.get("JALON_DATABASE_URL"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "people.User"
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", "Français"), ("en", "English")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Europe/Paris"
USE_THOUSAND_SEPARATOR = False

STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
MEDIA_ROOT = HOME / "files"
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
FILE_UPLOAD_PERMISSIONS = 0o600

HTTPS = os.environ.get("JALON_HTTPS") == "1"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_SAVE_EVERY_REQUEST = False
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

MAIL_URL = os.environ.get("JALON_MAIL_URL", "")
if MAIL_URL:
    _mail = urlsplit(MAIL_URL)
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT = _mail.hostname, _mail.port or 587
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = (
        unquote(_mail.username or ""),
        unquote(_mail.password or ""),
    )
    EMAIL_USE_TLS = _mail.scheme == "smtp+tls" or EMAIL_PORT == 587
DEFAULT_FROM_EMAIL = os.environ.get("JALON_MAIL_FROM", "jalon@localhost")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
