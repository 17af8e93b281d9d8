"""The Django part's settings but for one: what was imported is not frozen."""

from config.settings import *  # noqa: F403

FREEZE_IMPORTS = False
