"""What every set-up shares. Values that differ from place to place come from the environment (`.env.example`)."""

from __future__ import annotations

from pathlib import Path

from django.conf import global_settings

from gptstudio.settings import broker, env, sign_in, storage
from gptstudio.settings.console import UNFOLD as UNFOLD
from gptstudio.settings.log import LOGGING as LOGGING

VERSION = "0.1.0"
BASE_DIR = Path(__file__).resolve().parents[2]
STUDIO_HOME = env.folder("STUDIO_HOME", BASE_DIR / "var")
SECRET_KEY = env.kept_secret("SECRET_KEY", STUDIO_HOME / "secret_key")
SECRET_KEY_FALLBACKS = env.names("SECRET_KEY_FALLBACKS")  # those before it: what they signed and sealed stays good
ENGINE_TOKEN = env.kept_secret("ENGINE_TOKEN", STUDIO_HOME / "engine_token")
DEBUG = False
HOST = env.text("HOST", "127.0.0.1")
PORT = env.number("PORT", 8000, least=1, most=65_535)
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
PUBLIC_URL = env.address("PUBLIC_URL", env.origin(HOST, PORT)).rstrip("/")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL.startswith("https") else []

INSTALLED_APPS = [
    "gptstudio.web",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.github",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.idp.oidc",
    "gptstudio.core",
    "gptstudio.audit",
    "gptstudio.notify",
    "gptstudio.accounts",
    "gptstudio.review",
    "gptstudio.api",
    "gptstudio.overview",
    "datasets_app",
    "training_app",
    "serving_app",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "serving_app.openai.gate.OpenAIGate",
    "gptstudio.web.middleware.numbered",
    "gptstudio.overview.machines.machines_first",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "gptstudio.web.middleware.content_security_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "gptstudio.web.middleware.current_workspace",
    "gptstudio.web.middleware.times_of_the_reader",
    "gptstudio.web.middleware.sentences_for_errors",
]
ROOT_URLCONF = "gptstudio.urls"
ASGI_APPLICATION = "gptstudio.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["gptstudio.web.templatetags.workspace_forms"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "gptstudio.web.context.frame",
            ],
        },
    }
]

# Databases. SQLite needs WAL and IMMEDIATE transactions, or three writing processes lock each other out.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA busy_timeout=20000;",
}
DATABASES = {"default": env.database("DATABASE_URL", f"sqlite:///{STUDIO_HOME / 'studio.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
else:
    POOL = {"min_size": 1, "max_size": env.number("DATABASE_POOL", 16, least=1)}
    POOL["timeout"] = env.number("DATABASE_WAIT", 10, least=1)
    # What the address asks of the server stays, as sslmode=verify-full with sslrootcert=…
    DATABASES["default"]["OPTIONS"] = {**DATABASES["default"].get("OPTIONS", {}), "pool": POOL}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Who shows this token at /metrics sees all workspaces' figures; empty: superusers alone
METRICS_TOKEN = env.text("METRICS_TOKEN")

# May webhooks go to loopback and private networks? Then whoever sets an alert reaches what this machine reaches
WEBHOOK_PRIVATE_ADDRESSES = env.flag("WEBHOOK_PRIVATE_ADDRESSES")
WEBHOOK_CA = env.certificates("WEBHOOK_CA")  # trusted beside the system's, for servers of one's own network

# Slack: who signs its events, who may post, and the studio's own key that asks and pays; empty: there is no Slack
SLACK_SIGNING_SECRET = env.text("SLACK_SIGNING_SECRET")
SLACK_BOT_TOKEN = env.text("SLACK_BOT_TOKEN")
SLACK_KEY = env.text("SLACK_KEY")
SLACK_API_URL = env.address("SLACK_API_URL", "https://slack.com/api")

# Work queue. Without REDIS_URL the broker is a folder: no server needed, enough for jobs.
REDIS_URL = env.address("REDIS_URL", schemes=("redis", "rediss"))
REDIS_TLS = broker.tls(REDIS_URL)
BROKER_FOLDER = STUDIO_HOME / "broker"
globals().update(broker.celery(REDIS_URL, REDIS_TLS, BROKER_FOLDER))

# Failed sign-ins are counted where all processes see them and none forgets them: in the database, in every set-up.
CACHES = {
    "default": {
        "BACKEND": "gptstudio.core.json_cache.JsonCache",
        "LOCATION": "cache",
        "VERSION": 2,  # 1 were pickles
        "OPTIONS": {"MAX_ENTRIES": 100_000},  # so that nobody is forgotten for the others who come
    }
}
# How many proxies stand before the studio, each of which adds to X-Forwarded-For; 0: what it says is not believed
TRUSTED_PROXIES = ALLAUTH_TRUSTED_PROXY_COUNT = env.number("TRUSTED_PROXIES", 0, least=0)
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Engines: ENGINE_URLS=name=url,… seeds the replicas; the embedded one listens on ENGINE_PORT.
STARTER_NAME = "studio-starter-1"
STARTER_FOLDER = BASE_DIR / "training_app" / "engine" / "starter" / "model"
TRAINING_SLOTS = env.number("TRAINING_SLOTS", 1, least=1)
TRAINING_SLOTS_A_WORKSPACE = env.number("TRAINING_SLOTS_A_WORKSPACE", 0, least=0)  # 0: as many as there are slots
ENGINE_PORT = env.number("ENGINE_PORT", 8001, least=1, most=65_535)
ENGINE_URLS = env.addresses("ENGINE_URLS") or {"embedded": f"http://127.0.0.1:{ENGINE_PORT}"}
# Servers with names of their own: ENGINE_MODELS=<id of a base model>=<its name there>,…
ENGINE_MODELS = env.pairs("ENGINE_MODELS")
ENGINE_IDLE_MINUTES = env.number("ENGINE_IDLE_MINUTES", 0, least=0)
ENGINE_THREADS = env.number("ENGINE_THREADS", 2, least=1)
ENGINE_CONTEXT = env.number("ENGINE_CONTEXT", 2048, least=64)
# What the embedded engine keeps weights in; auto: what a model folder has
ENGINE_DTYPE = env.one_of("ENGINE_DTYPE", "auto", "float32", "bfloat16", "int8")
TRAINING_THREADS = env.number("TRAINING_THREADS", 2, least=1)
TRAINING_QUEUE = env.one_of("TRAINING_QUEUE", "cpu", "gpu")
TRAINING_DEVICE = env.one_of("TRAINING_DEVICE", "cpu", "cuda")
# How many processes share a fine-tune; each GPU takes one
TRAINING_PROCESSES = env.number("TRAINING_PROCESSES", 1 if TRAINING_DEVICE == "cpu" else env.gpus(), least=1)
# So long a fine-tune that is told to stop may take for its step and its checkpoint; then it is killed
TRAINING_GRACE_SECONDS = 300
CHILD_MEMORY_BYTES = env.number("CHILD_MEMORY_MB", 0) * 1024 * 1024

# /v1/moderations asks this server for these models (called=its own name); without it, the word list alone judges
MODERATION_URL = env.address("MODERATION_URL").rstrip("/")
MODERATION_TOKEN = env.text("MODERATION_TOKEN")
MODERATION_MODELS = env.pairs("MODERATION_MODELS") or {"omni-moderation-latest": "omni-moderation-latest"}

# Base models are fetched from a hub only when a person asks for one
HUB_OFFLINE = env.flag("HF_HUB_OFFLINE")
HUB_ENDPOINT = env.address("HF_ENDPOINT")
HUB_TOKEN = env.text("HF_TOKEN")

# Prices, in millionths of the currency unit for a million tokens
PRICE_PROMPT_MICRO = env.number("PRICE_PROMPT_MICRO", 200_000)
PRICE_COMPLETION_MICRO = env.number("PRICE_COMPLETION_MICRO", 800_000)
PRICE_TRAINING_HOUR_MICRO = env.number("PRICE_TRAINING_HOUR_MICRO", 0, least=0)  # for an hour of the training machine

# People
AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = [*global_settings.PASSWORD_HASHERS, "gptstudio.accounts.hashers.ClientSecretHasher"]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
EMAIL_URL = env.text("EMAIL_URL")
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend" if EMAIL_URL else "gptstudio.web.mail.LogBackend"
globals().update(env.mail_server("EMAIL_URL"))
EMAIL_TIMEOUT = 10  # seconds for each word with the mail server
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "studio@localhost")
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if EMAIL_URL else "none"
ACCOUNT_ADAPTER = "gptstudio.web.adapter.StudioAccountAdapter"
ACCOUNT_FORMS = {"signup": "gptstudio.web.sign_up.SignUpForm"}
ACCOUNT_LOGOUT_ON_GET = False
USERSESSIONS_ADAPTER = "gptstudio.web.adapter.StudioSessionsAdapter"
MFA_ADAPTER = "gptstudio.web.adapter.StudioMFAAdapter"
MFA_TOTP_ISSUER = "GPT Studio"
MFA_ALLOW_UNVERIFIED_EMAIL = not EMAIL_URL  # where nothing can be verified, a second factor is to be had all the same
SOCIALACCOUNT_PROVIDERS = sign_in.providers()
SOCIALACCOUNT_ADAPTER = "gptstudio.web.providers.StudioSocialAccountAdapter"
SOCIALACCOUNT_FORMS = {
    "signup": "gptstudio.web.providers.ConnectedSignUpForm",
    "disconnect": "gptstudio.web.providers.ConnectedEndForm",
}
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
SIGN_UP_OPEN = env.flag("SIGN_UP_OPEN", default=True)
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"

# REST
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "gptstudio.api.authentication.KeyAuthentication",
        "gptstudio.api.authentication.SignedInAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["gptstudio.api.permissions.MayAct"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "gptstudio.api.described.Described",
    "EXCEPTION_HANDLER": "gptstudio.api.errors.answer",
    "URL_FORMAT_OVERRIDE": None,  # `format` is a parameter of downloads
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "GPT Studio",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "PREPROCESSING_HOOKS": ["gptstudio.api.schema.only_native"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "gptstudio.api.schema.with_refusals",
    ],
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "ENFORCE_NON_BLANK_FIELDS": True,
    "ENUM_NAME_OVERRIDES": {
        "DeliveryState": "gptstudio.notify.models.DeliveryState",
        "DestinationKind": "gptstudio.notify.models.DestinationKind",
        "InvitationState": "gptstudio.accounts.models.InvitationState",
        "Role": "gptstudio.accounts.models.Role",
        "ReviewState": "gptstudio.review.models.ReviewState",
        "ReviewVerdict": ["approved", "rejected"],
        "AlertKind": "serving_app.models.AlertKind",
        "RequestState": "serving_app.models.CompletionState",
        "FileState": "datasets_app.models.FileState",
        "VersionState": "datasets_app.models.VersionState",
        "PreviewState": "datasets_app.models.PreviewState",
        "HidingPolicy": "datasets_app.curation.kinds.POLICIES",
        "ActionEnum": ["keep", "replace", "exclude"],
        "Verdict": "datasets_app.models.Verdict",
        "JobState": "training_app.models.JobState",
        "StudyKind": "training_app.models.StudyKind",
        "StudyState": "training_app.models.StudyState",
    },
}

# Files. STORAGE_URL: a bucket that they are kept in; then what lies under STUDIO_HOME is a cache of it
STORAGE = storage.read()
STATIC_URL = "static/"
STATIC_ROOT = STUDIO_HOME / "static"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
FILE_UPLOAD_HANDLERS = ["gptstudio.core.receiving.DiskUploadHandler"]
FILE_UPLOAD_TEMP_DIR = str(env.folder("UPLOAD_TEMP", STUDIO_HOME / "uploading"))
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
UPLOAD_MAX_BYTES = env.number("UPLOAD_MAX_MB", 4096, least=1) * 1024 * 1024

LANGUAGE_CODE = "en"
# Pages are told in a reader's language where there is a catalogue for it (CONTRIBUTING.md says how one is made)
LOCALE_PATHS = [BASE_DIR / "gptstudio" / "web" / "locale"]
LANGUAGES = [(code, code) for code in sorted({LANGUAGE_CODE, *(path.name for path in LOCALE_PATHS[0].glob("[a-z]*"))})]
TIME_ZONE = env.zone("TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True
SILENCED_SYSTEM_CHECKS = ["account.W001"]
