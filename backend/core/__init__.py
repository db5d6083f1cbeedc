"""Words and rules: pure values and functions, with no clock, randomness, disk, network or log."""
