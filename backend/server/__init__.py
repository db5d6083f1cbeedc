"""The agent's RPC edge and the synchronous core behind it."""
