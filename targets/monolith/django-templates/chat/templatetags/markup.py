"""``{{ text|markdown }}`` in templates."""

from django import template

from chat.markup import render

register = template.Library()
register.filter("markdown", render)
