"""How the UNet is run: many requests in one call, faster backends, what a request costs."""
