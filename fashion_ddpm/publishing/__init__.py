"""A checkpoint on the Hub: its model card, its Space, the upload."""
