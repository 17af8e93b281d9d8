"""The stand-in model's timing and answers."""
