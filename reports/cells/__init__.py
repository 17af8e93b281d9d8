"""A cell per measure: value, bracket, verdict, words, and what it rests on."""
