"""A simulated person per protocol, and which class serves which."""
