"""The report as Markdown, JSON, CSV, HTML and on the terminal."""
