"""Many machines: secrets must be given, and cookies travel over TLS alone unless PUBLIC_URL says http."""

from gptstudio.settings import env
from gptstudio.settings.base import *  # noqa: F403

SECRET_KEY = env.required("SECRET_KEY", "Every machine must share one: put 50 random characters into it.")
ENGINE_TOKEN = env.required("ENGINE_TOKEN", "Web and engines must share one: put 50 random characters into it.")
SIGN_UP_OPEN = env.flag("SIGN_UP_OPEN", default=False)  # many people reach it, and few should have accounts
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.flag("SSL_REDIRECT", default=not env.text("PUBLIC_URL").startswith("http://"))
SECURE_REDIRECT_EXEMPT = [r"^health(/web)?$", r"^metrics$"]
# Browsers hold to it for so long, whatever is changed here; neighbours below the same domain are the operator's to bind
SECURE_HSTS_SECONDS = env.number("HSTS_SECONDS", 31_536_000, least=0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("HSTS_SUBDOMAINS")
SECURE_HSTS_PRELOAD = env.flag("HSTS_PRELOAD")
# Both are choices, and `check --deploy` would ask for them
SILENCED_SYSTEM_CHECKS = [*SILENCED_SYSTEM_CHECKS, "security.W005", "security.W021"]  # noqa: F405
# A browser keeps a secure cookie from a plain address, so nobody could sign in there.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT or PUBLIC_URL.startswith("https://")  # noqa: F405
