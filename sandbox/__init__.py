"""A simulated world for the store: chain, explorer, rates, wallet and mailbox, in play money."""
