"""HTTP in front of the page: allowlist, rate limits, uploads, limits, monitoring."""
