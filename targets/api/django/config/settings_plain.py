"""The settings as Django's and its documentation's examples leave them: without those that are there for speed.

`django:plain` starts with them; README.md says why these.
"""

from config.settings import *  # noqa: F403
from config.settings import CACHES, DATABASES, REDIS_URL

FREEZE_IMPORTS = False
RELAY_WINDOW_S = 0
DATABASES["default"].get("OPTIONS", {}).pop("pool", None)
if REDIS_URL:
    CACHES["default"] = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
