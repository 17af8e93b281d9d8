"""The report as data: table, claims, bottleneck, overview."""
