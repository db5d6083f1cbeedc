"""The client's side: files in MOC's formats, signing in and renewing, the long-running client and the operator's door.

A client loads no server code: no store, no use case, no issuing, no key vault (architecture.md, section 1).
"""
