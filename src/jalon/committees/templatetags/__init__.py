"""Tags of the pages of committees."""
