"""Networks that look at images, CLIP, a classifier, Inception, and how two of them are trained."""
