"""A delivery day with invented customers, driven through the real parts."""
