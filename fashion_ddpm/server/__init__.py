"""HTTP in front of the page: allowlist, rates, uploads, limits, monitoring."""
