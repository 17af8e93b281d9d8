"""Simulated users against a server that counts along."""
