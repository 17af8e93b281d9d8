"""The schedule of a trial: phases, arrivals and seeded draws; pure."""
