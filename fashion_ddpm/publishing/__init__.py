"""Publish a checkpoint on the Hub: model card, Space and upload."""
