"""What is tried on a started target besides load."""
