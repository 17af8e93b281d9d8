"""A stand-in language model: an OpenAI-compatible server whose answers have known timing and known text."""
