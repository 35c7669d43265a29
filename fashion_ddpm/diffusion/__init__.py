"""Noise schedules, samplers, losses, the UNet and the pipeline that draws with it."""
