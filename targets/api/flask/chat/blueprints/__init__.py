"""The REST API, one blueprint per kind of object."""

from chat.blueprints import admin, auth, conversations, messages, service

BLUEPRINTS = (auth.bp, conversations.bp, messages.bp, admin.bp, service.bp)
