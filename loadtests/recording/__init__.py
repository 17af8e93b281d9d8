"""A turn from planned to written."""
