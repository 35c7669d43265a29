"""Loading data sets as tensors in three splits."""
