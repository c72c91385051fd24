"""Compiled kernels: free functions on arrays, the only place that imports numba."""
