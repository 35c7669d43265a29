"""Pictures of any data set become tensors in three splits."""
