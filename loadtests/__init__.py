"""Simulated people for chatbots, on Locust; the only code that imports locust."""
