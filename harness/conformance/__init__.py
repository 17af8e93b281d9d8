"""Proves that a running target meets the contract (``targets/CONTRACT.md``, ``targets/openapi.yaml``).

Every check is a real exchange over loopback; what could not be exercised is reported as failed, never as passed.
"""

from harness.conformance.page import check_page
from harness.conformance.probes import Check
from harness.conformance.rest import check_rest

__all__ = ["Check", "check_page", "check_rest"]
