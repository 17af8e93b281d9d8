"""A person at a chatbot's page, in a real Chromium: what pages are driven by, whoever made them."""
