"""The container runtime: nginx, PostgreSQL and Redis as real services, every stack in a sealed pod under the budget."""

from harness.runtimes.docker.runtime import DockerRuntime

__all__ = ["DockerRuntime"]
