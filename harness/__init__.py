"""Runs trials: starts a chatbot inside a fixed budget, loads it, judges what was measured."""
