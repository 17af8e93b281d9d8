"""Django settings; what differs between machines comes from environment variables (see README.md)."""

import os
from pathlib import Path

from config import environment

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = False
SECRET_KEY = environment.required("SECRET_KEY", "a-long-random-text")
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "*").split(",")

LLM_BASE_URL = environment.required("LLM_BASE_URL", "http://127.0.0.1:8001/v1").rstrip("/")
LLM_API_KEY = os.environ.get("LLM_API_KEY", "")
LLM_MODEL = os.environ.get("LLM_MODEL") or "stand-in"
LLM_CONNECT_TIMEOUT_S = 5
LLM_SILENCE_TIMEOUT_S = 60
LLM_CONTEXT_MESSAGES = 20
RELAY_WINDOW_S = int(os.environ.get("RELAY_WINDOW_MS") or 80) / 1000
FREEZE_IMPORTS = True  # see config/asgi.py
RATE_LIMIT_PER_MINUTE = environment.whole_number("RATE_LIMIT_PER_MINUTE", 60)
FAILED_SIGN_INS_PER_MINUTE = 10
TOKEN_DAYS = 30
REDIS_URL = os.environ.get("REDIS_URL", "")
WEB_ROOT = os.environ.get("WEB_ROOT", "")
CONTRACT_FILE = Path(os.environ.get("CONTRACT_FILE") or BASE_DIR.parent.parent / "openapi.yaml")
DATABASE_THREADS = environment.whole_number("DATABASE_THREADS", 2)  # per process; more wait for each other

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "rest_framework",
    "chat",
]
# Every one async without a thread: see chat/middleware.py.
MIDDLEWARE = [
    "chat.middleware.Security",
    "chat.middleware.FrameOptions",
    "chat.middleware.ContentSecurityPolicy",
    "chat.middleware.Common",
    "chat.middleware.Unavailable",
    "chat.middleware.Session",
    "chat.middleware.Csrf",
    "chat.middleware.Authentication",
]
# The checks look for the names of the classes these derive from.
SILENCED_SYSTEM_CHECKS = ["security.W001", "security.W002", "security.W003"]
APPEND_SLASH = False
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"

DATABASES = {"default": environment.database(DATABASE_THREADS)}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
CACHES = environment.caches(REDIS_URL)

# Sessions are rows, so they survive a restart of Redis; Redis answers for the rows that it has seen.
SESSION_ENGINE = "django.contrib.sessions.backends." + ("cached_db" if REDIS_URL else "db")
SESSION_COOKIE_AGE = 30 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = os.environ.get("HTTPS") == "1"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE
CSRF_FAILURE_VIEW = "chat.problems.csrf_failure"
CSRF_TRUSTED_ORIGINS = [origin for origin in os.environ.get("TRUSTED_ORIGINS", "").split(",") if origin]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = DATA_UPLOAD_MAX_MEMORY_SIZE  # bodies stay in memory

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["chat.authentication.Bearer", "chat.authentication.Cookie"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["chat.json.Parser"],
    "DEFAULT_RENDERER_CLASSES": ["chat.json.Renderer"],
    "DEFAULT_PAGINATION_CLASS": "chat.pagination.Pages",
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS is no operation of the contract
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "chat.json.AlwaysJson",
    "EXCEPTION_HANDLER": "chat.problems.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
}

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    # A refused request is the client's business, not the log's.
    "loggers": {"django.request": {"level": "ERROR"}, "django.security.csrf": {"level": "ERROR"}},
}
