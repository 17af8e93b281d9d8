"""When what happens: phases, arrivals and seeded draws; pure."""
