"""The local runtime: a stack of plain processes, which needs nothing but Python."""

from harness.runtimes.local.component import Launch
from harness.runtimes.local.pod import LocalPod, LocalRuntime

__all__ = ["Launch", "LocalPod", "LocalRuntime"]
