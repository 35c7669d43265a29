"""Metrics, measurements and the report that the evaluate command writes."""
