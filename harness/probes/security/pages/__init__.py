"""What hostile input does to pages in a real browser."""
