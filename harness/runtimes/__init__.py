"""The places that run a target: this machine or containers."""
