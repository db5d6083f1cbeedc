"""The command line `mocdeck`: it parses, wires and prints; every decision is another room's.

Command modules are loaded when their command runs (`backend.cli.lazy`), and inside them whatever is heavy is imported
by the function that needs it, so that completion and `mocdeck status` stay quick.
"""
