"""The demo without a server: a static site whose networks run in the visitor's browser."""
