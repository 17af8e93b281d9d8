"""Container runtime on a real engine."""
