"""A user at a chatbot's page, in a real Chromium."""
