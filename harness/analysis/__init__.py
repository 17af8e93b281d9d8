"""From samples to figures, verdicts and capacities: pure, without files, clock or processes."""
