"""Small pages for acceptance tests: one that only looks right, and some that do what is asked for."""
