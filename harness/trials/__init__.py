"""One trial, and a campaign of them."""
