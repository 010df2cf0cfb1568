"""How fast things are, measured next to peers: ``python -m benchmarks``."""
