"""Settings of the part's own tests: a database in a scratch folder, no model, quick password hashes."""

import os
import tempfile

os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix="django-templates-"))
os.environ.setdefault("SECRET_KEY", "of-the-tests")
os.environ.setdefault("LLM_BASE_URL", "http://127.0.0.1:9/v1")
os.environ.setdefault("RATE_LIMIT_PER_MINUTE", "1000")

from config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGGING["loggers"]["django.request"]["level"] = "CRITICAL"  # noqa: F405  # the tests provoke every refusal
