"""Other simulators from PyPI, in an environment of their own: one of them shares our import name."""
