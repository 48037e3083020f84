"""SCTP for data channels, without I/O; `association.py` composes it, and its README says of what."""
