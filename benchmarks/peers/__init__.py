"""The peers: one file each, found by its ``PEERS``. A library is imported by the function that uses it."""
