"""Parsers of a peer's bytes, fed what no peer sends. `python -m fuzz` is `npm run fuzz`; start reading in `targets`."""
