"""The cloud agent, its clients and the command line of mocdeck."""

__version__ = "0.1.0"
