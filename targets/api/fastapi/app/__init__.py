"""The chatbot's REST API on FastAPI."""
