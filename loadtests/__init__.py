"""Virtual users for chatbots, on Locust. No other package imports locust."""
