"""The probes of a started target, besides load: ``python -m harness.probes contract|audit``.

All but ``swap`` runs in containers too, with the packages of ``requirements/generator.txt`` and of the harness only
``errors``, ``records`` and itself.
"""
