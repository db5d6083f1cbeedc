"""The demo: a real agent with a past, real clients and the dashboard, in a directory that is removed at the end.

Nothing here is drawn that was not observed: the past is made by the ordinary use cases (`past`, `player`), the present
by the real programs (`site`, `children`). Nothing of the user's is read or written.
"""
