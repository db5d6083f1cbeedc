"""How a fresh login file reaches a client that cannot fetch it."""
