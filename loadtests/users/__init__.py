"""A page class per protocol, and the choice between them."""
