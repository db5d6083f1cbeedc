"""Use cases: the only room where a decision, a signature and a row meet, always inside one transaction."""
