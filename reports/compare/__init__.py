"""Two runs side by side, and a gate's answer."""
